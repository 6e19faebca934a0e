// One pipeline: what it is, its steps, why it waits, its timeline, and what can be done.
import { get, post, requestId } from "../api.js";
import { may } from "../caller.js";
import { count, kindName, ranFor, time, waitedFor, zone } from "../format.js";
import { html } from "../html.js";
import { Trouble, useAsked, Waiting } from "../parts/asked.js";
import { StatusBadge } from "../parts/badge.js";
import { Confirm } from "../parts/confirm.js";
import { CopyButton } from "../parts/disclosure.js";
import { usePipeline } from "../parts/followed.js";
import { StepList } from "../parts/steps.js";
import { whatOf } from "../parts/what.js";
import { go } from "../router.js";
import { isLive, take } from "../store.js";
import { t } from "../words.js";

const RETRIED = ["PIPELINE_STATUS_FAILED", "PIPELINE_STATUS_PARTIAL", "PIPELINE_STATUS_CANCELLED"];

// Of what brings rows, each row has a result.
const INGESTS = ["csv_ingest", "api_ingest"];

export function Page({ id }) {
  const { row, jobs, asked } = usePipeline(id);
  const shown = row ?? asked.value?.pipeline;
  return html`
    <h1>${t("pipeline_n", { n: id })} ${shown && html`<${StatusBadge} row=${shown} />`}</h1>
    <${Trouble} error=${asked.error} again=${asked.again} />
    ${!(shown && jobs.length) && html`<${Waiting} asked=${asked} />`}
    ${asked.error && html`<p><a href="/pipelines">${t("page.pipelines")}</a></p>`}
    ${shown && html`
      <${Facts} row=${shown} />
      <${StepList} jobs=${jobs} again=${asked.again} />
      ${asked.value?.has_more_jobs && html`<p class="notice">${t("jobs_cut", { n: count(asked.value.jobs.length) })}</p>`}
      ${INGESTS.includes(shown.kind) && !isLive(shown) && html`<p class="acts">
        <a href=${`/explain?pipeline=${id}`}>${t("rows_and_results")}</a>
        <a href=${`/v1/emissions.csv?pipeline_id=${id}`} download>${t("results_csv")}</a></p>`}
      <${Acts} row=${shown} again=${asked.again} />
      <${Timeline} events=${asked.value?.timeline ?? []} leftOut=${asked.value?.events_left_out} />`}
  `;
}

function Facts({ row }) {
  // What a job was sent with, the file among it, is told of single jobs.
  const sent = useAsked(async (signal) => (await get(`/v1/jobs/${row.root_job_id}`, {}, { signal })).payload ?? {},
    [row.root_job_id]);
  const facts = [
    [t("what"), whatOf(row)],
    [t("year"), row.scope.year || ""],
    [t("unit"), row.scope.unit],
    [t("submitted"), `${time(row.created_at)} (${zone()})`],
    [t("waited_head"), waitedFor(row)],
    [t("ran_head"), ranFor(row)],
    [t("by"), row.submitted_by],
    [t("file"), sent.value?.blob && html`<${SourceFile} id=${row.pipeline_id} payload=${sent.value} />`],
    [t("source_head"), sent.value?.source],
    [t("repairs"), link(row.repair_of)],
    [t("retries"), link(row.retry_of)],
  ].filter(([, value]) => value);
  return html`<dl class="facts">${facts.map(([name, value]) => html`
      <div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <${Trouble} error=${sent.error} again=${sent.again} />`;
}

// It is kept for as long as its pipeline is.
function SourceFile({ id, payload }) {
  const name = payload.file_name || t("file_of_pipeline", { n: id });
  return html`<a href=${`/v1/blobs/${payload.blob}/content`} download=${name}>${name}</a>`;
}

const link = (id) => (Number(id) ? html`<a href=${`/pipelines/${id}`}>${id}</a>` : "");

function Acts({ row, again }) {
  const id = row.pipeline_id;
  const cancel = async (reason) => {
    const answer = await post(`/v1/pipelines/${id}:cancel`, { reason });
    take({ pipelines: [answer.pipeline] });
    again();
  };
  const retry = async () => {
    const answer = await post(`/v1/pipelines/${id}:retry`, { request_id: requestId() });
    go(`/pipelines/${answer.pipeline_id}`);
  };
  const wouldRun = async () => {
    const body = { request_id: requestId(), validate_only: true };
    const { jobs } = await post(`/v1/pipelines/${id}:retry`, body);
    return t("retry_runs", { what: jobs.map((job) => kindName(job.job_type)).join(", ") });
  };
  return html`<div class="acts">
    ${isLive(row) && may("CancelPipeline") && html`<${Confirm} label=${t("cancel")} question=${t("cancel_question", { n: id })}
      yes=${t("cancel")} act=${cancel} reason />`}
    ${RETRIED.includes(row.status) && may("RetryPipeline") && html`<${Confirm} label=${t("retry")}
      question=${t("retry_question", { n: id })} yes=${t("retry")} act=${retry} preview=${wouldRun} />`}
    <${CopyButton} text=${id} label=${t("copy_number")} />
  </div>`;
}

function Timeline({ events, leftOut }) {
  if (!events.length) return null;
  return html`<details><summary>${t("timeline")}</summary>
    <ol class="timeline">${events.map((event, index) => html`<li key=${index}>
      <time datetime=${event.at}>${time(event.at)}</time> ${t(`event.${event.event}`) || event.event}
      ${Number(event.job_id) ? html` (${t("job_n", { n: event.job_id })})` : ""}
      ${event.detail && html`<span class="soft" lang="en"> ${event.detail}</span>`}
    </li>`)}</ol>
    ${Number(leftOut) > 0 && html`<p class="notice">${t("events_cut", { n: count(leftOut) })}</p>`}
  </details>`;
}
