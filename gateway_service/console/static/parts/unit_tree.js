// The tree of units: each with what is its own, and with all units below it; rows open and close.
import { useState } from "preact/hooks";
import { change, tonnes } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";

/** `nodes` are those of a report: a unit precedes those below it. `href(unit)` is a unit's address. */
export function UnitTree({ nodes, year, href }) {
  const [open, setOpen] = useState(() => new Set(nodes.filter((one) => one.level === 0).map((one) => one.unit)));
  const above = new Map(nodes.map((one) => [one.unit, one.parent_unit]));
  const parents = new Set(above.values());
  const isShown = (unit) => {
    const parent = above.get(unit);
    return !above.has(parent) || (open.has(parent) && isShown(parent));
  };
  const turn = (unit) => {
    const next = new Set(open);
    if (!next.delete(unit)) next.add(unit);
    setOpen(next);
  };
  const all = () => setOpen(open.size < parents.size ? new Set(parents) : new Set());
  const caption = t("unit_tree");
  return html`<p class="acts"><button type="button" class="small" onClick=${all}>${t(open.size < parents.size ? "open_all"
    : "close_all")}</button></p>
  <div class="scroll" tabindex="0" role="region" aria-label=${caption}><table>
    <caption>${caption}</caption>
    <thead><tr><th scope="col">${t("unit")}</th><th scope="col" class="number">${t("with_units_below")}</th>
      <th scope="col" class="number">${t("alone")}</th><th scope="col" class="number">${year - 1}</th>
      <th scope="col" class="number">${t("change")}</th></tr></thead>
    <tbody>${nodes.map((node) => html`<${UnitRow} key=${node.unit} node=${node} hidden=${!isShown(node.unit)}
      open=${open.has(node.unit)} turn=${parents.has(node.unit) && turn} href=${href} />`)}</tbody>
  </table></div>`;
}

// Hidden, and not left out: paper shows all of them.
function UnitRow({ node, hidden, open, turn, href }) {
  const { unit, unit_name: name, level, own_kg: own, with_units_below: sums } = node;
  const before = sums.last_year_kg;
  return html`<tr hidden=${hidden}>
    <th scope="row" class=${`level level-${Math.min(level, LEVELS)}`}>
      ${turn ? html`<button type="button" class="turn" aria-expanded=${open} onClick=${() => turn(unit)}>
        <span aria-hidden="true">${open ? "▾" : "▸"}</span>
        <span class="off-screen">${t("units_below", { name: name || unit })}</span></button>` : html`<span class="turn"></span>`}
      <a href=${href(unit)}>${name || unit}</a></th>
    <td class="number">${tonnes(sums.total_kg)}</td>
    <td class="number">${tonnes(own)}</td>
    <td class="number">${before === undefined ? "–" : tonnes(before)}</td>
    <td class="number">${before === undefined ? "" : change(sums.total_kg, before)}</td>
  </tr>`;
}

// Deeper ones are not drawn further to the right.
const LEVELS = 6;
