// Bars of the three GHG scopes inside a table: the table is the chart, every figure is text.
import { change, tonnes } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";

const SCOPES = [1, 2, 3];
const WIDTH = 400;
const HEIGHT = 14;
const GAP = 1;

/**
 * Rows of {key, name, href, kg: [scope 1, 2, 3], total, before}; `before` is last year's total or
 * undefined. All in kilograms.
 */
export function ScopeBars({ caption, head, rows }) {
  const longest = Math.max(1, ...rows.map((row) => Math.max(row.total, row.before ?? 0)));
  const compared = rows.some((row) => row.before !== undefined);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table>
      <caption>${caption}</caption>
      <thead><tr>
        <th scope="col">${head}</th>
        <th scope="col" class="bar-head">${SCOPES.map((scope) => html`<span class=${`key scope-${scope}`}>
          ${t(`scope.${scope}`)}</span>`)}</th>
        <th scope="col" class="number">t CO₂eq</th>
        ${compared && html`<th scope="col" class="number">${t("before")}</th>
          <th scope="col" class="number">${t("change")}</th>`}
      </tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.key}>
        <th scope="row">${row.href ? html`<a href=${row.href}>${row.name}</a>` : row.name}</th>
        <td><${Bar} row=${row} longest=${longest} /><span class="off-screen">${scopesIn(row)}</span></td>
        <td class="number">${tonnes(row.total)}</td>
        ${compared && html`<td class="number">${row.before === undefined ? "–" : tonnes(row.before)}</td>
          <td class="number">${row.before === undefined ? "" : change(row.total, row.before)}</td>`}
      </tr>`)}</tbody>
    </table>
  </div>`;
}

// What the bar shows, for whoever does not see it, or no colours.
function scopesIn(row) {
  return SCOPES.map((scope) => `${t(`scope.${scope}`)}: ${tonnes(row.kg[scope - 1])} t`).join("; ");
}

function Bar({ row, longest }) {
  let x = 0;
  const parts = row.kg.map((kg, index) => {
    const width = (Math.max(0, kg) / longest) * WIDTH;
    // Parts are told apart by the gap between them, not by their colour alone.
    const gap = x > 0 && width > 3 * GAP ? GAP : 0;
    const part = html`<rect class=${`scope-${index + 1}`} x=${x + gap} y="2" width=${width - gap} height=${HEIGHT - 4}>
      <title>${t(`scope.${index + 1}`)}: ${tonnes(kg)} t</title></rect>`;
    x += width;
    return part;
  });
  const mark = row.before === undefined ? null : (row.before / longest) * WIDTH;
  return html`<svg class="bar" viewBox=${`0 0 ${WIDTH + 2} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
    ${parts}
    ${mark !== null && html`<rect class="mark" x=${mark} y="0" width="2" height=${HEIGHT} />`}
  </svg>`;
}
