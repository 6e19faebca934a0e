// The years that are known, to go from one to the other.
import { html } from "../html.js";
import { years } from "../store.js";
import { t } from "../words.js";

/** `more` are years beside those of the stream, `href(year)` is the address of one. */
export function YearChoice({ year, more = [], href }) {
  const known = [...new Set([...years.value.keys(), ...more, year])].sort();
  if (known.length < 2) return null;
  return html`<nav class="years" aria-label=${t("years")}>${known.map((one) => html`
    <a class="chip" href=${href(one)} aria-current=${one === year ? "page" : undefined}>${one}</a> `)}</nav>`;
}
