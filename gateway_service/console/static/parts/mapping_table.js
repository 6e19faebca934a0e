// What a mapping reads as what: a row for each of its parts.
import { html } from "../html.js";
import { t } from "../words.js";

/** `caption` names the mapping, which is as a payload takes it; `sheet` is that of a workbook. */
export function MappingTable({ mapping, caption, sheet }) {
  return html`<table class="narrow">
    <caption>${caption}</caption>
    <thead><tr><th scope="col">${t("in_the_file")}</th><th scope="col">${t("read_as")}</th></tr></thead>
    <tbody>${[...(sheet ? [[t("sheet"), sheet]] : []), ...partsOf(mapping)].map(([said, meant], index) => html`<tr key=${index}>
      <th scope="row">${said}</th><td>${meant}</td></tr>`)}</tbody>
  </table>`;
}

function partsOf({ columns = {}, constants = {}, values = {}, decimal, dates, header_line: line }) {
  const code = (text) => html`<code>${text}</code>`;
  const named = Object.entries(columns).sort();
  return [
    ...named.map(([theirs, ours]) => [html`${t("column")} ${code(theirs)}`, code(ours)]),
    ...Object.entries(constants).sort().map(([column, value]) => [t("every_row"), html`${code(column)} = ${value}`]),
    ...Object.entries(values).sort().flatMap(([column, pairs]) => Object.entries(pairs).sort()
      .map(([text, choice]) => [html`“${text}” ${t("in_column")} ${code(column)}`, choice])),
    ...(decimal ? [[t("decimal_sign"), t(`decimal.${decimal}`) || decimal]] : []),
    ...(dates ? [[t("dates"), code(dates)]] : []),
    ...(line ? [[t("header_line"), t("line_n", { n: line })]] : []),
  ];
}
