// All pipelines, newest first, filtered by what the address says.
import { useEffect } from "preact/hooks";
import { get } from "../api.js";
import { between, count, MODULES, moduleName, time, zone } from "../format.js";
import { html } from "../html.js";
import { Trouble, useAsked, Waiting } from "../parts/asked.js";
import { StatusBadge } from "../parts/badge.js";
import { whatOf } from "../parts/what.js";
import { address, filterBy } from "../router.js";
import { paced, pipelines, take } from "../store.js";
import { t, tn } from "../words.js";

const STATUSES = ["RUNNING", "SUCCESS", "PARTIAL", "FAILED", "CANCELLED", "NOT_STARTED"];
const PAGE_SIZE = 50;
// Of a page that stays open while many are submitted.
const ROWS_MAX = 1000;
const shown = paced(pipelines);

export function Page() {
  const { query } = address.value;
  const filters = {
    statuses: query.get("status") ? `PIPELINE_STATUS_${query.get("status")}` : "",
    module: query.get("module") ?? "",
    year: query.get("year") ?? "",
  };
  const keys = [query.toString()];
  const asked = useAsked((signal) =>
    get("/v1/pipelines", { ...filters, page_size: PAGE_SIZE, page_token: query.get("page") ?? "" }, { signal }), keys);
  useEffect(() => {
    if (asked.value) take({ pipelines: asked.value.pipelines });
  }, [asked.value]);
  const rows = rowsOf(asked.value, filters, !query.get("page"));
  return html`
    <h1>${t("page.pipelines")}</h1>
    <${Filters} query=${query} />
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    ${asked.value && !rows.length && html`<p>${t("no_pipelines")}</p>`}
    ${rows.length > 0 && html`<${PipelineTable} rows=${rows} busy=${asked.busy} />`}
    ${rows.length > 0 && html`<p class="acts"><a href=${fileOf(filters)} download>CSV</a></p>`}
    ${asked.value?.next_page_token && html`<p>
      <a href=${older(query, asked.value.next_page_token)}>${t("older")}</a></p>`}
  `;
}

// The rows asked for, as the stream has changed them, and newer ones on the first page.
function rowsOf(answer, filters, isFirst) {
  if (!answer) return [];
  const ids = new Set(answer.pipelines.map((row) => row.pipeline_id));
  const newest = Math.max(0, ...[...ids].map(Number));
  if (isFirst) {
    for (const id of shown.value.keys()) if (Number(id) > newest) ids.add(id);
  }
  const fits = (row) => (!filters.statuses || row.status === filters.statuses)
    && (!filters.module || row.scope.module === filters.module)
    && (!filters.year || String(row.scope.year) === filters.year);
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
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    <label>${t("status")}
      <select id="filter" value=${query.get("status") ?? ""} onChange=${(e) => filterBy("status", e.target.value)}>
        <option value="">${t("any")}</option>
        ${STATUSES.map((one) => html`<option value=${one}>${t(`status.${one}`)}</option>`)}
      </select></label>
    <label>${t("module")}
      <select value=${query.get("module") ?? ""} onChange=${(e) => filterBy("module", e.target.value)}>
        <option value="">${t("any")}</option>
        ${MODULES.map((one) => html`<option value=${one}>${moduleName(one)}</option>`)}
      </select></label>
    <label>${t("year")}
      <input type="number" min="1990" max="2100" value=${query.get("year") ?? ""}
        onChange=${(e) => filterBy("year", e.target.value)} /></label>
  </form>`;
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
        <th scope="col">${t("submitted")}</th><th scope="col">${t("took")}</th><th scope="col">${t("by")}</th>
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
    <td class="moment">${row.finished_at ? between(row.created_at, row.finished_at) : ""}</td>
    <td>${row.submitted_by}</td>
  </tr>`;
}
