// All pipelines, newest first, filtered by what the address says.
import { useEffect } from "preact/hooks";
import { get } from "../api.js";
import { count, MODULES, moduleName, ranFor, time, waitedFor, zone } from "../format.js";
import { html, paced } from "../html.js";
import { Trouble, useAsked, Waiting } from "../parts/asked.js";
import { StatusBadge } from "../parts/badge.js";
import { RetryAll } from "../parts/retry_all.js";
import { whatOf } from "../parts/what.js";
import { address, filterBy } from "../router.js";
import { breaks, pipelines, take } from "../store.js";
import { t, tn } from "../words.js";

// In the order in which a pipeline has them.
const STATUSES = ["NOT_STARTED", "RUNNING", "SUCCESS", "PARTIAL", "FAILED", "CANCELLED"];
const STATUS = "PIPELINE_STATUS_";
const PAGE_SIZE = 50;
// Of a page that stays open while many are submitted.
const ROWS_MAX = 1000;
// While something changes: a count of what was on its way in that moment may be off by one until then.
const ASKED_AGAIN_MS = 10_000;
const shown = paced(pipelines);

export function Page() {
  const { query } = address.value;
  const filters = {
    statuses: query.get("status") ? STATUS + query.get("status") : "",
    module: query.get("module") ?? "",
    year: query.get("year") ?? "",
    unit: query.get("unit") ?? "",
    submitted_by: query.get("by") ?? "",
    text: query.get("text") ?? "",
  };
  // After a break nobody knows what was counted meanwhile.
  const asked = useAsked((signal) => ask(filters, query, signal), [query.toString(), breaks.value]);
  const isOther = asked.busy && asked.value?.of !== query.toString();
  const hasNews = asked.value && !asked.busy && (asked.value.isUnsure || shown.value !== asked.value.known);
  useEffect(() => {
    if (!hasNews) return undefined;
    const timer = setTimeout(asked.again, ASKED_AGAIN_MS * (1 + Math.random()));
    return () => clearTimeout(timer);
  }, [hasNews]);
  const rows = rowsOf(asked.value, filters, !query.get("page"));
  return html`
    <h1>${t("page.pipelines")}</h1>
    <${Filters} query=${query} />
    ${asked.value && html`<${Counts} query=${query} counts=${countsNow(asked.value, filters)}
      hasOlder=${asked.value.status_counts.has_older} />`}
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    ${asked.value && !rows.length && !isOther && html`<p>${t("no_pipelines")}</p>`}
    ${rows.length > 0 && html`<${PipelineTable} rows=${rows} busy=${isOther} />`}
    ${rows.length > 0 && html`<p class="acts"><a href=${fileOf(filters)} download>CSV</a></p>
      <${RetryAll} key=${query.toString()} status=${query.get("status")} filters=${filters} />`}
    ${asked.value?.next_page_token && html`<p>
      <a href=${older(query, asked.value.next_page_token)}>${t("older")}</a></p>`}
  `;
}

// With the rows that are known then: what the stream tells later is counted on from there.
async function ask(filters, query, signal) {
  const wanted = { ...filters, page_size: PAGE_SIZE, page_token: query.get("page") ?? "", with_status_counts: true };
  const before = pipelines.peek();
  const answer = await get("/v1/pipelines", wanted, { signal });
  // What came meanwhile may be counted, or not.
  const isUnsure = pipelines.peek() !== before;
  take({ pipelines: answer.pipelines });
  return { ...answer, of: query.toString(), known: pipelines.peek(), isUnsure };
}

// Of a text the server alone knows whether a pipeline has it.
function countsNow({ status_counts: told, known }, filters) {
  const counts = new Map(STATUSES.map((one) => [one, Number(told[one.toLowerCase()])]));
  if (filters.text) return counts;
  const add = (row, number) => {
    const status = row.status.replace(STATUS, "");
    counts.set(status, Math.max(0, counts.get(status) + number));
  };
  const newest = newestIn(known.keys());
  for (const [id, row] of shown.value) {
    const before = known.get(id);
    if (before === row || !fitsBut(row, filters) || (!before && Number(id) < newest)) continue;
    if (before) add(before, -1);
    add(row, 1);
  }
  return counts;
}

const newestIn = (ids) => Math.max(0, ...[...ids].map(Number));

const fitsBut = (row, { module, year, unit, submitted_by: by }) => (!module || row.scope.module === module)
  && (!year || String(row.scope.year) === year) && (!unit || row.scope.unit === unit) && (!by || row.submitted_by === by);

// The rows asked for, as the stream has changed them, and newer ones on the first page.
function rowsOf(answer, filters, isFirst) {
  if (!answer) return [];
  const ids = new Set(answer.pipelines.map((row) => row.pipeline_id));
  const newest = newestIn(ids);
  if (isFirst && !filters.text) {
    for (const id of shown.value.keys()) if (Number(id) > newest) ids.add(id);
  }
  const fits = (row) => (!filters.statuses || row.status === filters.statuses) && fitsBut(row, filters);
  return [...ids].map((id) => shown.value.get(id)).filter((row) => row && fits(row))
    .sort((a, b) => Number(b.pipeline_id) - Number(a.pipeline_id)).slice(0, ROWS_MAX);
}

// All that the filters let through, not only this page.
function fileOf(filters) {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  return `/v1/pipelines.csv?${query}`;
}

function older(query, token) {
  const next = new URLSearchParams(query);
  next.set("page", token);
  return `/pipelines?${next}`;
}

function Filters({ query }) {
  const field = (label, name, more = {}) => html`<label>${label}<input type="text" maxlength="512" ...${more}
    value=${query.get(name) ?? ""} onChange=${(e) => filterBy(name, e.target.value.trim())} /></label>`;
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    ${field(t("text"), "text", { id: "filter", title: t("text_help") })}
    <label>${t("module")}
      <select value=${query.get("module") ?? ""} onChange=${(e) => filterBy("module", e.target.value)}>
        <option value="">${t("any")}</option>
        ${MODULES.map((one) => html`<option value=${one}>${moduleName(one)}</option>`)}
      </select></label>
    <label>${t("year")}
      <input type="number" min="1990" max="2100" value=${query.get("year") ?? ""}
        onChange=${(e) => filterBy("year", e.target.value)} /></label>
    ${field(t("unit"), "unit")}
    ${field(t("by"), "by")}
  </form>`;
}

// How many have each status: each count is a filter.
function Counts({ query, counts, hasOlder }) {
  const chosen = query.get("status") ?? "";
  const all = [...counts.values()].reduce((sum, one) => sum + one, 0);
  const one = (status, word, number) => html`<button type="button" class="chip" aria-pressed=${chosen === status}
    onClick=${() => filterBy("status", status)}>${word} <strong>${count(number)}</strong></button>`;
  return html`<div class="chips" role="group" aria-label=${t("status")}>
    ${one("", t("all_statuses"), all)}
    ${STATUSES.map((status) => one(status, t(`status.${status}`), counts.get(status)))}
    ${hasOlder && html`<span class="soft">${t("newest_counted")}</span>`}
  </div>`;
}

function PipelineTable({ rows, busy }) {
  const caption = t("pipelines_caption", { zone: zone() });
  return html`<div class=${`scroll ${busy ? "dim" : ""}`} tabindex="0" role="region" aria-label=${caption} aria-busy=${busy}>
    <table>
      <caption>${caption}</caption>
      <thead><tr>
        <th scope="col" aria-sort="descending">${t("number")}</th><th scope="col">${t("status")}</th>
        <th scope="col" class="what">${t("what")}</th><th scope="col">${t("jobs")}</th>
        <th scope="col">${t("year")}</th><th scope="col">${t("unit")}</th>
        <th scope="col">${t("submitted")}</th><th scope="col">${t("waited_head")}</th>
        <th scope="col">${t("ran_head")}</th><th scope="col">${t("by")}</th>
      </tr></thead>
      <tbody>${rows.map((row) => html`<${PipelineRow} key=${row.pipeline_id} row=${row} />`)}</tbody>
    </table>
  </div>`;
}

// How many of its jobs have ended, and how many of them with an error.
function jobsIn({ total_jobs: total, finished_jobs: finished, failed_jobs: failed }) {
  if (!total) return "";
  const ended = t("n_of", { n: count(finished), of: count(total) });
  return failed ? html`${ended}, <span class="bad-text">${tn("n_failed", failed)}</span>` : ended;
}

// A component of its own: of a thousand rows, only those that have changed are drawn again.
function PipelineRow({ row }) {
  return html`<tr>
    <th scope="row"><a href=${`/pipelines/${row.pipeline_id}`}>${row.pipeline_id}</a></th>
    <td class="moment"><${StatusBadge} row=${row} /></td>
    <td>${whatOf(row)}${row.message && html`<div class="soft message" lang="en" title=${row.message}>${row.message}</div>`}</td>
    <td class="moment">${jobsIn(row)}</td>
    <td>${row.scope.year || ""}</td>
    <td>${row.scope.unit}</td>
    <td class="moment"><time datetime=${row.created_at}>${time(row.created_at)}</time></td>
    <td class="moment">${waitedFor(row)}</td>
    <td class="moment">${ranFor(row)}</td>
    <td>${row.submitted_by}</td>
  </tr>`;
}
