// The totals of one unit together with all units below it.
import { get } from "../api.js";
import { isWhole, OWN } from "../caller.js";
import { change, moduleName, tonnes } from "../format.js";
import { html } from "../html.js";
import { t, tn } from "../words.js";
import { Limited, Trouble, useAsked, Waiting } from "./asked.js";
import { ScopeBars } from "./bars.js";
import { Treemap, treeOf } from "./treemap.js";
import { UnitTree } from "./unit_tree.js";

/** `href(changes)` is the address of this page with other values in its query. */
export function UnitTotals({ year, unit, ends, node, href }) {
  const query = { unit, with_units_below: true, ...OWN };
  const asked = useAsked((signal) => get(`/v1/years/${year}/report`, query, { signal }), [year, unit, ends]);
  const report = asked.value;
  const whole = report?.whole;
  const own = report?.unit_tree.find((one) => one.unit === unit);
  return html`
    <h1>${t(isWhole() ? "totals_of_unit" : "totals_of_own_units", { year, unit: own?.unit_name || unit })}</h1>
    <p><a href=${href({ unit: "", node: "" })}>${t("totals_of", { year })}</a>${" "}
      <a href=${`/explain?${new URLSearchParams({ year, unit })}`}>${t("rows_of_unit_alone")}</a></p>
    <${Limited} />
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    <${OfOthers} report=${report} />
    ${report && !whole && html`<p>${t("no_totals_of_unit", { year })}</p>`}
    ${whole && html`<div class=${asked.busy ? "dim" : ""} aria-busy=${asked.busy}>
      <p class="headline"><span class="figure">${tonnes(whole.total_kg)}</span> t CO₂eq${
        whole.last_year_kg > 0 && html`, ${t("than_last_year", {
          change: change(whole.total_kg, whole.last_year_kg), year: year - 1 })}`}
        ${whole.kg_per_fte !== undefined && html`, ${t("per_fte", { t: tonnes(whole.kg_per_fte) })}`}</p>
      ${Number(whole.entries_without_kg) > 0 && html`<p class="notice">${tn("without_kg", whole.entries_without_kg)}</p>`}
      <${ScopeBars} caption=${t("by_module")} head=${t("module")} rows=${moduleRows(report.modules)} />
      <h2>${t("made_of")}</h2>
      <${Treemap} root=${treeOf(byPath(report.nodes))} at=${node} href=${(path) => href({ node: path })}
        rows=${(path) => `/explain?${new URLSearchParams({ year, unit, emission_type: path })}`} />
      ${report.unit_tree.length > 1 && html`<${UnitTree} nodes=${report.unit_tree} year=${year}
        href=${(one) => href({ unit: one, node: "" })} />`}
    </div>`}
  `;
}

/** Says of how many units, which others see, a report has nothing. */
export function OfOthers({ report }) {
  const { units_of_others_count: units } = report ?? {};
  return units > 0 && html`<p class="notice">${tn("units_of_others", units)}</p>`;
}

function moduleRows(modules) {
  return modules.map(({ module, sums }) => ({
    key: module, name: moduleName(module), total: sums.total_kg, before: sums.last_year_kg,
    kg: [sums.ghg_scope_1_kg, sums.ghg_scope_2_kg, sums.ghg_scope_3_kg],
  })).sort((a, b) => b.total - a.total);
}

const byPath = (nodes) => Object.fromEntries(nodes.filter((one) => one.kg > 0).map((one) => [one.path, one.kg]));
