// Ways to other pages: keys, and the years that are known.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { go } from "../router.js";
import { years } from "../store.js";
import { t } from "../words.js";

const PLACES = { y: "/", u: "/upload", p: "/pipelines", t: "/totals", h: "/health" };
const KEPT = "carbonline-keys";
const CHORD_MS = 1500;

/**
 * Keys: `/` to the filter, `g` then a letter to a page, `?` lists them. They can be switched off,
 * since a voice that dictates letters would press them.
 */
export function Shortcuts() {
  const [listed, setListed] = useState(false);
  const [off, setOff] = useState(localStorage.getItem(KEPT) === "off");
  useEffect(() => {
    let chord = 0;
    const press = (event) => {
      if (event.key === "Escape") return setListed(false);
      if (off || event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return undefined;
      if (event.timeStamp - chord < CHORD_MS && event.key in PLACES) {
        chord = 0;
        return go(PLACES[event.key]);
      }
      if (event.key === "g") chord = event.timeStamp;
      else if (event.key === "?") setListed(true);
      else if (event.key === "/" && document.getElementById("filter")) {
        event.preventDefault();
        document.getElementById("filter").focus();
      }
      return undefined;
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [off]);
  const choose = (event) => {
    setOff(!event.target.checked);
    localStorage.setItem(KEPT, event.target.checked ? "on" : "off");
  };
  return html`<footer>
    <button type="button" class="small" aria-expanded=${listed} aria-controls="keys"
      onClick=${() => setListed(!listed)}>${t("keys")}</button>
    <div id="keys" hidden=${!listed}>
      <label class="line"><input type="checkbox" checked=${!off} onChange=${choose} /> ${t("keys_on")}</label>
      <ul>
        <li><kbd>/</kbd> ${t("keys_filter")}</li>
        ${Object.entries(PLACES).map(([key, path]) => html`<li><kbd>g</kbd> <kbd>${key}</kbd> ${path}</li>`)}
      </ul>
    </div>
  </footer>`;
}

const isField = (target) => target.matches?.("input, select, textarea, [contenteditable]") ?? false;

/** To go from one year to the other: `more` are years beside those of the stream, `href(year)` is the address of one. */
export function YearChoice({ year, more = [], href }) {
  const known = [...new Set([...years.value.keys(), ...more, year])].sort();
  if (known.length < 2) return null;
  return html`<nav class="years" aria-label=${t("years")}>${known.map((one) => html`
    <a class="chip" href=${href(one)} aria-current=${one === year ? "page" : undefined}>${one}</a> `)}</nav>`;
}
