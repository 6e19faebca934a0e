// The address decides what is shown. Filters are in its query and nowhere else. And the ways to other
// addresses: links, keys, and the years that are known.
import { computed, signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { years } from "./store.js";
import { t } from "./words.js";

const here = signal(location.pathname + location.search);

/** Path, its parts and the query of the address. */
export const address = computed(() => {
  const url = new URL(here.value, location.origin);
  return { path: url.pathname, parts: url.pathname.split("/").filter(Boolean), query: url.searchParams };
});

/** Shows another address. `replace` leaves no step to go back to, as for a filter. */
export function go(href, { replace = false } = {}) {
  if (href === here.value) return;
  history[replace ? "replaceState" : "pushState"](null, "", href);
  here.value = location.pathname + location.search;
  if (!replace) arrive();
}

/** Sets or removes ("" removes) one filter of this page. */
export function filterBy(name, value) {
  const query = new URLSearchParams(address.value.query);
  if (value) query.set(name, value);
  else query.delete(name);
  query.delete("page");
  const text = query.toString();
  go(address.value.path + (text ? `?${text}` : ""), { replace: true });
}

/** Follows links without loading the console again, and the browser's back and forward. */
export function startRouter() {
  addEventListener("popstate", () => {
    here.value = location.pathname + location.search;
    arrive();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey) return;
    if (event.shiftKey || event.altKey || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.pathname.startsWith("/v1/")) return;
    // An anchor of this page is the browser's own affair.
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

// The focus goes to what is new, so that a keyboard and a screen reader are there, too.
function arrive() {
  scrollTo(0, 0);
  requestAnimationFrame(() => document.getElementById("main")?.focus());
}

const PLACES = { y: "/", u: "/upload", p: "/pipelines", t: "/totals", h: "/health" };
const KEPT = "carbonline-keys";
const CHORD_MS = 1500;

/**
 * Keys: `/` to the filter, `g` then a letter to a page, `?` lists them. They can be switched off,
 * since a voice that dictates letters would press them.
 */
export function Shortcuts() {
  const [listed, setListed] = useState(false);
  const list = useRef(null);
  const opener = useRef(null);
  const [off, setOff] = useState(localStorage.getItem(KEPT) === "off");
  useEffect(() => {
    let chord = 0;
    const press = (event) => {
      if (event.key === "Escape") {
        if (list.current.contains(document.activeElement)) opener.current.focus();
        return setListed(false);
      }
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
    <button type="button" class="small" ref=${opener} aria-expanded=${listed} aria-controls="keys"
      onClick=${() => setListed(!listed)}>${t("keys")}</button>
    <div id="keys" ref=${list} hidden=${!listed}>
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
