// The steps of a pipeline in order: state, message, progress, rejected rows, why one waits.
import { get } from "../api.js";
import { between, kindName, typeName } from "../format.js";
import { html } from "../html.js";
import { t, tn } from "../words.js";
import { Trouble, useAsked } from "./asked.js";
import { Icon, stateWords } from "./badge.js";

const RESULTS = {
  JOB_RESULT_SUCCESS: "ok", JOB_RESULT_WARNING: "warn", JOB_RESULT_ERROR: "bad",
  JOB_RESULT_CANCELLED: "none", JOB_RESULT_SUPERSEDED: "none",
};

export function StepList({ jobs }) {
  return html`<ol class="steps">${jobs.map((job) => html`<li key=${job.job_id}>
    <${Step} job=${job} /></li>`)}</ol>`;
}

function Step({ job }) {
  const ended = job.state === "JOB_STATE_FINISHED";
  const running = job.state === "JOB_STATE_RUNNING";
  const icon = ended ? RESULTS[job.result] : running ? "run" : "wait";
  const name = [kindName(job.job_type), typeName(job.scope?.data_entry_type)].filter(Boolean).join(", ");
  return html`
    <span class=${`step-mark tone-${icon}`}><${Icon} name=${icon} /></span>
    <div>
      <h2 class="step-name">${name}</h2>
      ${running && Number(job.progress?.total) > 0 && html`<progress
        aria-label=${name} max=${job.progress.total} value=${job.progress.done}></progress>`}
      ${job.message && html`<p>${job.message}</p>`}
      <p class="soft">${stateWords(job)} · ${t("job_n", { n: job.job_id })}
        ${waited(job)}
        ${job.attempts > 1 ? ` · ${tn("attempts", job.attempts)}` : ""}
        ${Number(job.superseded_by) ? ` · ${t("superseded_by", { n: job.superseded_by })}` : ""}
        ${running && job.worker_id ? ` · ${job.worker_id}` : ""}</p>
      ${Number(job.stats?.rows_rejected) > 0 && html`<p><a href=${`/rejected/${job.pipeline_id}`}>
        ${tn("see_rejected", job.stats.rows_rejected)}</a></p>`}
      ${!ended && !running && html`<${Why} job=${job} />`}
    </div>`;
}

function waited(job) {
  return job.started_at ? ` · ${t("waited", { time: between(job.created_at, job.started_at) })}` : "";
}

function Why({ job }) {
  const asked = useAsked((signal) => get(`/v1/jobs/${job.job_id}/explanation`, {}, { signal }), [job.job_id, job.state]);
  return html`<details><summary>${t("why_waiting")}</summary>
    <${Trouble} error=${asked.error} again=${asked.again} />
    <ul>${(asked.value?.reasons ?? []).map((reason) => html`<li>${reason.message} ${reason.advice}</li>`)}</ul>
    <button type="button" class="small" onClick=${asked.again}>${t("ask_again")}</button>
  </details>`;
}
