// What a total is made of: one level of the emission tree as boxes, the same as a table below.
import { hierarchy, treemap } from "d3-hierarchy";
import { useEffect, useState } from "preact/hooks";
import { nodeName, share, tonnes } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";

// Units of the drawing. On a narrow screen they are fewer, so that a name stays as large as text.
const SIZES = { wide: [1200, 430], narrow: [420, 460] };
const NARROW = "(max-width: 700px)";
const GAP = 3;
// A box shows its whole name or none: half a name would differ from what a screen reader says.
const CHARACTER = 9.5;
const MARGIN = 10;
const LINE = 20;
const LINES_MAX = 2;

// Between the names of a path, as the contract writes it: professional_travel.plane.
const DOT = ".";

/** The tree of totals by path, such as {"a": 3, "a.b": 2}: nodes {path, name, kg, children}. */
export function treeOf(byPath) {
  const root = { path: "", name: "", kg: 0, children: [] };
  const nodes = new Map([["", root]]);
  for (const path of Object.keys(byPath).sort()) {
    const parent = nodes.get(path.slice(0, Math.max(0, path.lastIndexOf(DOT)))) ?? root;
    const node = { path, name: nodeName(path), kg: byPath[path], children: [] };
    nodes.set(path, node);
    parent.children.push(node);
  }
  root.kg = root.children.reduce((sum, node) => sum + node.kg, 0);
  return root;
}

/** The node at a path; levels with one part are skipped. */
export function nodeAt(root, path) {
  let node = root;
  for (let depth = 1; node && path && node.path !== path; depth += 1) {
    const start = path.split(DOT).slice(0, depth).join(DOT);
    node = node.children.find((one) => one.path === start);
  }
  node ??= root;
  while (node.children.length === 1 && node.children[0].children.length) node = node.children[0];
  return node;
}

/** `at` is the path that is open, `href(path)` the address of another, `rows(path)` of its rows. */
export function Treemap({ root, at, href, rows }) {
  const node = nodeAt(root, at);
  const parts = node.children.filter((one) => one.kg > 0).sort((a, b) => b.kg - a.kg);
  const way = wayTo(node);
  // A part without parts is made of rows.
  const to = (part) => (part.children.length ? href : rows)(part.path);
  return html`<nav aria-label=${t("way")}>
      <a href=${href("")}>${t("all")}</a>
      ${way.map((path) => html` › <a href=${href(path)}>${nodeName(path)}</a>`)}
      <span class="soft"> ${tonnes(node.kg)} t CO₂eq</span>${" "}
      ${node.path && html`<a href=${rows(node.path)}>${t("rows_of_node", { node: nodeName(node.path) })}</a>`}
    </nav>
    ${parts.length > 1 && html`<${Boxes} node=${node} parts=${parts} to=${to} />`}
    <${PartsTable} node=${node} parts=${parts} to=${to} rows=${rows} />`;
}

function wayTo(node) {
  const names = node.path.split(DOT).filter(Boolean);
  return names.map((_, index) => names.slice(0, index + 1).join(DOT));
}

function useSize() {
  const query = matchMedia(NARROW);
  const [narrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const changed = (event) => setNarrow(event.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return SIZES[narrow ? "narrow" : "wide"];
}

function Boxes({ node, parts, to }) {
  const [width, height] = useSize();
  const level = hierarchy({ children: parts.map((part) => ({ part })) }).sum((one) => one.part?.kg ?? 0);
  const { children } = treemap().size([width, height]).paddingInner(GAP).round(true)(level);
  return html`<svg class="treemap" viewBox=${`0 0 ${width} ${height}`} role="group" aria-label=${t("made_of")}>
    ${children.map((box, index) => html`<${Box} key=${box.data.part.path} box=${box} index=${index}
      whole=${node.kg} to=${to} />`)}
  </svg>`;
}

const fitsInto = (line, width) => line.length * CHARACTER + 2 * MARGIN <= width;

/** A text in lines that fit, but for the last that it may have, and for words that are too long. */
function linesOf(text, width) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && lines.length < LINES_MAX && !fitsInto(longer, width)) lines.push(word);
    else lines.splice(-1, 1, longer);
  }
  return lines;
}

function Box({ box, index, whole, to }) {
  const { part } = box.data;
  const [width, height] = [box.x1 - box.x0, box.y1 - box.y0];
  const figures = `${tonnes(part.kg)} t · ${share(part.kg, whole)}`;
  const lines = [...linesOf(part.name, width), figures];
  const fits = lines.every((line) => fitsInto(line, width)) && height >= lines.length * LINE + MARGIN;
  const drawn = html`<rect class=${`box tint-${index % 7}`} x=${box.x0} y=${box.y0} width=${width}
      height=${height} rx="4"><title>${part.name}: ${figures}</title></rect>
    ${fits && lines.map((line, at) => html`<text class=${line === figures ? "soft" : ""}
      x=${box.x0 + MARGIN} y=${box.y0 + 2 + LINE * (at + 1)}>${line}</text>`)}`;
  return html`<a href=${to(part)} aria-label=${`${part.name} ${figures}`}>${drawn}</a>`;
}

function PartsTable({ node, parts, to, rows }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("made_of")}>
    <table class="narrow">
      <caption>${t("made_of")}</caption>
      <thead><tr><th scope="col">${t("category")}</th><th scope="col" class="number">t CO₂eq</th>
        <th scope="col" class="number">${t("share")}</th><th scope="col">${t("rows")}</th></tr></thead>
      <tbody>${parts.map((part) => html`<tr key=${part.path}>
        <th scope="row"><a href=${to(part)}>${part.name}</a></th>
        <td class="number">${tonnes(part.kg)}</td>
        <td class="number">${share(part.kg, node.kg)}</td>
        <td><a href=${rows(part.path)}>${t("rows")}<span class="off-screen"> ${part.name}</span></a></td>
      </tr>`)}</tbody>
    </table>
  </div>`;
}
