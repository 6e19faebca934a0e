// Rows of an upload with what was computed of each: quantity, factor in the version used, kilograms.
import { count, kilograms, named, nodeWay, number } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";
import { CopyButton } from "./disclosure.js";

/** `rows` are those of ListEmissions, `formulas` maps a data-entry type to its entry in the catalogue. */
export function ResultRows({ rows, formulas, caption }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table>
    <caption>${caption}</caption>
    <thead><tr><th scope="col" class="number">${t("row")}</th><th scope="col">${t("unit")}</th>
      <th scope="col">${t("state_head")}</th><th scope="col" class="number">kg CO₂eq</th>
      <th scope="col" class="what">${t("how_computed")}</th></tr></thead>
    <tbody>${rows.map((row) => html`<${ResultRow} key=${`${row.upload_id}/${row.row_number}`} row=${row}
      type=${formulas.get(row.data_entry_type)} />`)}</tbody>
  </table></div>`;
}

function ResultRow({ row, type }) {
  const sum = row.emissions.reduce((kg, one) => kg + one.kg, 0);
  const outcome = row.outcome && row.outcome !== "computed" ? `, ${t(`outcome.${row.outcome}`) || named(row.outcome)}` : "";
  return html`<tr>
    <th scope="row" class="number">${count(row.row_number)}</th>
    <td>${row.unit}</td>
    <td>${t(`row_state.${row.state}`) || row.state}${outcome}
      ${row.detail && html`<div class="soft" lang="en">${row.detail}</div>`}</td>
    <td class="number">${row.emissions.length ? kilograms(sum) : "–"}</td>
    <td><details class="how"><summary>${summaryOf(row)}</summary><div>
      ${type && row.emissions.length > 0 && html`<p class="soft" lang="en">${type.formula}</p>`}
      ${row.emissions.map((one) => html`<${Emission} key=${one.emission_type} one=${one} />`)}
      <${Values} title=${t("row_as_uploaded")} values=${row.columns} />
      ${row.formula_version && html`<p class="soft">${t("formula_n", { n: row.formula_version })}</p>`}</div>
      <${CopyButton} text=${(button) => button.previousElementSibling.innerText} label=${t("copy_text")} />
    </details></td>
  </tr>`;
}

// Of a row with one emission its numbers, else how many there are.
function summaryOf({ emissions }) {
  if (emissions.length !== 1) return emissions.length ? t("parts_n", { n: count(emissions.length) }) : t("row_as_uploaded");
  const [{ additional_value: quantity, factor }] = emissions;
  return [quantity === undefined ? "" : t("quantity_n", { n: number(quantity) }), factor && factorName(factor)]
    .filter(Boolean).join(", ") || t("row_as_uploaded");
}

function factorName({ factor_id: id, version, kind, subkind }) {
  const what = [kind, subkind].filter(Boolean).join(" ");
  return t("factor_n", { n: id, version }) + (what && ` (${what})`);
}

function Emission({ one }) {
  const { factor, additional_value: quantity } = one;
  return html`<p><strong>${kilograms(one.kg)} kg</strong> ${nodeWay(one.emission_type)}, ${t(`scope.${one.ghg_scope}`)}
      ${quantity !== undefined && html`<br />${t("quantity_n", { n: number(quantity) })}`}</p>
    ${factor && html`<${Values} title=${`${factorName(factor)}${factor.file_name && `, ${factor.file_name}`}`}
      values=${factor.values} />`}`;
}

function Values({ title, values }) {
  const named = Object.entries(values).sort();
  return html`<p class="values-head">${title}</p>
    <dl class="values">${named.map(([name, value]) => html`<div key=${name}><dt><code>${name}</code></dt>
      <dd>${value}</dd></div>`)}</dl>`;
}
