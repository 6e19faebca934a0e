// The address decides what is shown. Filters are in its query and nowhere else.
import { computed, signal } from "@preact/signals";

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
