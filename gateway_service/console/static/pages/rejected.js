// The rejected rows of a pipeline: grouped by reason first, then the rows.
import { get, listen, taken, textOf } from "../api.js";
import { may } from "../caller.js";
import { count } from "../format.js";
import { html } from "../html.js";
import { Trouble, useAsked, Waiting } from "../parts/asked.js";
import { parseCsv } from "../csv.js";
import { t, tn } from "../words.js";

const ROWS_MAX = 100;
const BYTES_MAX = 4_000_000;
const REASON = "reason";
// What a mended file is uploaded as; a file of anything else is not uploaded on that page.
const KINDS = {
  csv_ingest: "entries", api_ingest: "entries", csv_check: "entries", routed_ingest: "entries", routed_check: "entries",
  factor_ingest: "factors", factor_check: "factors", unit_sync: "units", unit_check: "units",
};

export function Page({ id }) {
  const asked = useAsked((signal) => rejectedOf(id, signal), [id]);
  return html`
    <h1>${t("rejected_of", { n: id })}</h1>
    <p><a href=${`/pipelines/${id}`}>${t("pipeline_n", { n: id })}</a></p>
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    ${asked.value && !asked.value.length && html`<p>${t("no_rejected")}</p>`}
    ${asked.value?.map((file) => html`<${RejectedFile} key=${file.blob} file=${file} />`)}
  `;
}

async function rejectedOf(id, signal) {
  const { jobs, pipeline } = await get(`/v1/pipelines/${id}`, {}, { signal });
  const sent = (await get(`/v1/jobs/${pipeline.root_job_id}`, {}, { signal })).payload ?? {};
  const found = [];
  for (const job of jobs.filter((one) => one.stats?.rejected_blob)) {
    const blob = job.stats.rejected_blob;
    const address = `/v1/blobs/${blob}/content`;
    // A file of many megabytes is not kept in a page: the link has all of it.
    const { text, whole } = await listen(address, { signal }, async (answer, hear) => {
      const head = await textOf(answer, hear, BYTES_MAX);
      // The problem in place of the rows.
      return answer.ok ? head : taken(answer.status, false, head.text);
    });
    found.push({ blob, address, job, again: uploadAgain(pipeline, sent), whole, ...parseCsv(text, whole) });
  }
  return found;
}

// Where the mended file takes the place of what was uploaded: of one module, type, year, unit and source.
// A file of several types is sent whole, whichever of its parts the rows are of. "" if there is no form for it.
function uploadAgain({ kind, scope }, sent) {
  const form = KINDS[kind];
  if (!form) return "";
  const isOfSeveral = kind.startsWith("routed_");
  const wanted = { kind: form, year: scope.year, module: scope.module, type: isOfSeveral ? scope.module : scope.data_entry_type,
    unit: scope.unit, source: sent.source ?? sent.provider };
  return `/upload?${new URLSearchParams(Object.entries(wanted).filter(([, value]) => value))}`;
}

function RejectedFile({ file }) {
  const { head, rows, whole, job, again } = file;
  const at = head.indexOf(REASON) < 0 ? head.length - 1 : head.indexOf(REASON);
  const groups = new Map();
  for (const row of rows) {
    for (const reason of (row[at] ?? "").split("; ")) groups.set(reason, (groups.get(reason) ?? 0) + 1);
  }
  const largest = [...groups].sort((a, b) => b[1] - a[1]);
  return html`
    ${!whole && html`<p class="notice">${tn("first_rows_only", rows.length)}</p>`}
    <p class="acts"><a href=${file.address} download=${`rejected-${job.pipeline_id}.csv`}>${t("all_rejected_csv")}</a>${" "}
      ${again && may("Submit") && html`<a href=${again}>${t("upload_mended")}</a>`}</p>
    <table class="narrow">
      <caption>${t("by_reason")}</caption>
      <thead><tr><th scope="col" class="number">${t("rows")}</th><th scope="col">${t("reason")}</th></tr></thead>
      <tbody>${largest.map(([reason, number]) => html`<tr key=${reason}>
        <td class="number">${count(number)}</td><th scope="row" lang="en">${reason}</th></tr>`)}</tbody>
    </table>
    <div class="scroll" tabindex="0" role="region" aria-label=${t("rows")}>
      <table>
        <caption>${tn("the_first_rows", Math.min(rows.length, ROWS_MAX))}</caption>
        <thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>${rows.slice(0, ROWS_MAX).map((row, number) => html`<tr key=${number}>
          ${row.map((cell, index) => html`<td lang=${index === at ? "en" : undefined}>${cell}</td>`)}</tr>`)}</tbody>
      </table>
    </div>`;
}
