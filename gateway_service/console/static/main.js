// The start of the console: draws the page that the address names, and follows the server's changes.
import { render } from "preact";
import { effect, signal, untracked } from "@preact/signals";
import { post, whenUnauthenticated } from "./api.js";
import { keepTenant, learnCaller, mustChoose, tenant, TenantChoice } from "./caller.js";
import { clock } from "./format.js";
import { html, paced } from "./html.js";
import { Announcer } from "./parts/badge.js";
import { address, go, Shortcuts, startRouter } from "./router.js";
import { caller, clockSkew, connection, forget, hasRows, liveCount, moreLive, years } from "./store.js";
import { beginEverywhere, endEverywhere, startStream, whenBegun } from "./stream.js";
import { language, languages, speak, t, tn } from "./words.js";

const KEPT_THEME = "carbonline-theme";
const THEMES = ["system", "light", "dark"];
const KEPT_YEAR = "carbonline-year";
const build = document.querySelector('meta[name="build"]')?.content ?? "";
// How long before its end a login is told to end, so that nobody loses what they type.
const LOGIN_ENDS_MS = 120_000;
const TIMER_MS_MAX = 2 ** 31 - 1;
// As often as the list of pipelines is drawn.
const running = paced(liveCount);
const newBuild = signal(false);
const loginEnds = signal(false);
const theme = signal(THEMES.find((one) => one === localStorage.getItem(KEPT_THEME)) ?? THEMES[0]);
let endStream = null;

function chosenYear() {
  const { parts, query } = address.value;
  const asked = Number(parts[0] === "years" ? parts[1] : query.get("year"));
  if (asked) localStorage.setItem(KEPT_YEAR, String(asked));
  return asked || Number(localStorage.getItem(KEPT_YEAR));
}

// Of somebody who comes for the first time: the newest year that is there, not the calendar's.
const thisYear = () => chosenYear() || Math.max(0, ...years.value.keys()) || new Date().getFullYear();

// Before the first rows nobody knows which years are there: another one would be asked for in vain.
const isYearKnown = () => chosenYear() || hasRows.value || connection.value.state === "interrupted";

// Each page is loaded when it is first shown: a first visit needs one of them.
const PAGES = {
  years: () => import("./pages/year.js"),
  upload: () => import("./pages/upload.js"),
  pipelines: () => import("./pages/pipelines.js"),
  pipeline: () => import("./pages/pipeline.js"),
  totals: () => import("./pages/totals.js"),
  explain: () => import("./pages/explain.js"),
  rejected: () => import("./pages/rejected.js"),
  health: () => import("./pages/health.js"),
  mappings: () => import("./pages/mappings.js"),
  docs: () => import("./pages/docs.js"),
  login: () => import("./pages/login.js"),
};
const OF_A_YEAR = ["years", "upload", "totals", "explain"];
// Pages that show nothing of anybody.
const OPEN = ["/login", "/docs"];
const loaded = signal({});
// What could not be loaded: names of pages, or WORDS.
const missing = signal([]);
const WORDS = "words";

/** The name of the page in PAGES; undefined for an address that has none. */
function pageName([first, second]) {
  if (!first) return "years";
  if (first === "pipelines" && second) return "pipeline";
  return first in PAGES ? first : undefined;
}

effect(() => {
  const name = pageName(address.value.parts);
  if (!name || loaded.peek()[name]) return;
  PAGES[name]().then((module) => {
    loaded.value = { ...loaded.peek(), [name]: module.Page };
  }, (error) => isMissing(name, error));
});

// The browser itself is silent about a module that failed while it ran.
function isMissing(name, error) {
  console.error(error);
  missing.value = [...missing.peek(), name];
}

function Page() {
  const { parts } = address.value;
  const name = pageName(parts);
  if (mustChoose() && !OPEN.includes(address.value.path)) {
    return html`<h1>${t("choose_tenant")}</h1><${TenantChoice} onChoice=${choose} />`;
  }
  if (!name) return html`<h1>${t("no_page")}</h1><p><a href="/">${t("page.years")}</a></p>`;
  if (OF_A_YEAR.includes(name) && !isYearKnown()) return html`<p class="soft" aria-busy="true">${t("loading")}</p>`;
  const Shown = loaded.value[name];
  if (!Shown && missing.value.includes(name)) return html`<h1>${t(`page.${name}`)}</h1><${NotLoaded} />`;
  const year = thisYear();
  // Of an upload the year is a field: what has been chosen beside it stays.
  const which = parts[1] ?? (name === "upload" ? "" : year);
  return Shown && html`<${Shown} key=${`${name}/${which}`} year=${year} id=${parts[1]} onLogin=${enter} />`;
}

function App() {
  const { path } = address.value;
  const year = thisYear();
  const links = [[`/years/${year}`, "years"], [`/upload?year=${year}`, "upload"], ["/pipelines", "pipelines"],
    [`/totals?year=${year}`, "totals"], ["/health", "health"]];
  return html`
    <a class="skip" href="#main">${t("skip")}</a>
    <header>
      <a class="mark" href="/">carbonline${caller.value?.tenants.length > 1 && tenant() && ` · ${tenant()}`}</a>
      ${path !== "/login" && html`<nav aria-label=${t("pages")}>${links.map(([href, word]) => html`
        <a href=${href} aria-current=${path === href.split("?")[0] ? "page" : undefined}>${t(`page.${word}`)}</a> `)}</nav>
        ${!OPEN.includes(path) && html`<${Connection} />`}`}
      <${Choices} />
    </header>
    ${newBuild.value && html`<p class="notice">${t("new_build")}
      <button type="button" onClick=${() => location.reload()}>${t("reload")}</button></p>`}
    ${loginEnds.value && html`<${LoginEnds} />`}
    ${missing.value.includes(WORDS) && html`<${NotLoaded} />`}
    <main id="main" tabindex="-1"><${Page} /></main>
    <${Announcer} />
    <${Shortcuts} />
  `;
}

// Loaded anew whole: a browser remembers that a module failed, and a server of another build has others.
function NotLoaded() {
  return html`<div class="trouble" role="alert"><p><strong>${t("not_loaded")}</strong></p>
    <button type="button" onClick=${() => location.reload()}>${t("try_again")}</button></div>`;
}

function LoginEnds() {
  const next = encodeURIComponent(address.value.path + location.search);
  return html`<p class="notice" role="alert">${t("login_ends", { at: clock(Date.parse(caller.value?.expires_at)) })}${" "}
    <a href=${`/login?next=${next}`}>${t("login_again")}</a></p>`;
}

const runningWords = () => tn(moreLive.value ? "running_more" : "running_n", running.value);

function Connection() {
  const { state, since } = connection.value;
  const old = state === "interrupted";
  const words = old ? t("no_connection", { at: clock(since + clockSkew.value) })
    : state === "live" ? t("live") + (running.value ? `, ${runningWords()}` : "")
    : t("connecting");
  return html`<p class=${`connection ${state}`} role="status">
    <span class="dot" aria-hidden="true"></span>${words}</p>`;
}

function Choices() {
  return html`<details class="choices"><summary>${t("choices")}</summary><div class="panel">
    <label>${t("language")}<select value=${language.value} onChange=${(e) => chooseLanguage(e.target.value)}>
      ${languages.map((one) => html`<option value=${one} lang=${one}>${t(`language.${one}`)}</option>`)}</select></label>
    <label>${t("theme")}<select value=${theme.value} onChange=${(e) => wear(e.target.value)}>
      ${THEMES.map((one) => html`<option value=${one}>${t(`theme.${one}`)}</option>`)}</select></label>
    <${TenantChoice} onChoice=${choose} />
    <a href="/docs">${t("page.docs")}</a>
    <button type="button" onClick=${leave}>${t("logout")}</button>
  </div></details>`;
}

const chooseLanguage = (name) => speak(name).catch((error) => isMissing(WORDS, error));

function wear(name) {
  localStorage.setItem(KEPT_THEME, name);
  theme.value = name;
}

function follow() {
  endStream?.();
  endStream = startStream({
    onEnd: toLogin,
    onBuild: (serverBuild) => {
      newBuild.value = Boolean(build && serverBuild && serverBuild !== build);
      // The stream stands: so does the rest.
      if (!caller.value) learnCaller();
    },
  });
}

// Perhaps as somebody else: nothing of the last caller stays, in any tab.
function enter(next, who) {
  endStream?.();
  forget();
  keepTenant("");
  caller.value = who;
  beginEverywhere();
  if (!mustChoose()) follow();
  go(next);
}

// Everything is of another institution then, in all tabs.
function choose(name) {
  endStream?.();
  keepTenant(name);
  beginEverywhere();
  location.reload();
}

async function leave() {
  await post("/v1/session", {}, { method: "DELETE" }).catch(() => {});
  endEverywhere();
  toLogin();
}

// The address is kept: after the login one is where one was.
function toLogin() {
  endStream?.();
  endStream = null;
  forget();
  const { path } = address.value;
  if (path !== "/login") go(`/login?next=${encodeURIComponent(path + location.search)}`, { replace: true });
}

effect(() => {
  const end = Date.parse(caller.value?.expires_at ?? "");
  loginEnds.value = false;
  if (!end) return undefined;
  const left = Math.max(0, end - LOGIN_ENDS_MS - (Date.now() + clockSkew.value));
  if (left > TIMER_MS_MAX) return undefined;
  const timer = setTimeout(() => (loginEnds.value = true), left);
  return () => clearTimeout(timer);
});
// Without a choice no stream begins that would tell who looks.
effect(() => {
  if (connection.value.state === "interrupted" && !caller.peek()) untracked(learnCaller);
});
effect(() => {
  document.documentElement.lang = language.value;
  document.documentElement.dataset.theme = theme.value;
});
effect(() => {
  const { parts } = address.value;
  const count = running.value ? `(${running.value}${moreLive.value ? "+" : ""}) ` : "";
  const name = pageName(parts);
  const page = name === "pipeline" ? t("pipeline_n", { n: parts[1] }) : t(`page.${name ?? "years"}`);
  const which = ["totals", "upload"].includes(parts[0]) || !parts[0] || parts[0] === "years" ? ` ${thisYear()}` : "";
  document.title = `${count}${page}${which} · carbonline`;
});

whenUnauthenticated(toLogin);
whenBegun(() => {
  endStream?.();
  location.reload();
});
startRouter();
render(html`<${App} />`, document.getElementById("root"));
effect(() => {
  if (!endStream && !OPEN.includes(address.value.path) && !mustChoose()) untracked(follow);
});

