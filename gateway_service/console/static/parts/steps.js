// The steps of a pipeline in order: state, message, progress, rejected rows, why one waits.
import { useState } from "preact/hooks";
import { get, post } from "../api.js";
import { may } from "../caller.js";
import { between, kindName, typeName } from "../format.js";
import { html } from "../html.js";
import { take } from "../store.js";
import { t, tn } from "../words.js";
import { Trouble, useAsked, Waiting } from "./asked.js";
import { Icon, stateWords } from "./badge.js";
import { Confirm } from "./confirm.js";

const RESULTS = {
  JOB_RESULT_SUCCESS: "ok", JOB_RESULT_WARNING: "warn", JOB_RESULT_ERROR: "bad",
  JOB_RESULT_CANCELLED: "none", JOB_RESULT_SUPERSEDED: "none",
};

/** `again` asks for what an act may have changed. */
export function StepList({ jobs, again = () => {} }) {
  return html`<ol class="steps">${jobs.map((job) => html`<li key=${job.job_id}>
    <${Step} job=${job} again=${again} /></li>`)}</ol>`;
}

function Step({ job, again }) {
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
      ${job.message && html`<p lang="en">${job.message}</p>`}
      <p class="soft">${stateWords(job)} · ${t("job_n", { n: job.job_id })}
        ${waited(job)}
        ${job.attempts > 1 ? ` · ${tn("attempts", job.attempts)}` : ""}
        ${Number(job.superseded_by) ? ` · ${t("superseded_by", { n: job.superseded_by })}` : ""}
        ${running && job.worker_id ? ` · ${job.worker_id}` : ""}</p>
      ${Number(job.stats?.rows_rejected) > 0 && html`<p><a href=${`/rejected/${job.pipeline_id}`}>
        ${tn("see_rejected", job.stats.rows_rejected)}</a></p>`}
      ${!ended && !running && html`<${Why} job=${job} />`}
      ${running && may("RecoverJob") && html`<${Recover} job=${job} again=${again} />`}
    </div>`;
}

function waited(job) {
  return job.started_at ? ` · ${t("waited", { time: between(job.created_at, job.started_at) })}` : "";
}

function Why({ job }) {
  const asked = useAsked((signal) => get(`/v1/jobs/${job.job_id}/explanation`, {}, { signal }), [job.job_id, job.state]);
  return html`<div class="why">
    <p class="soft">${t("why_waiting")} <button type="button" class="small" onClick=${asked.again}>${t("ask_again")}</button></p>
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    <ul aria-busy=${asked.busy}>${(asked.value?.reasons ?? []).map((reason) => html`
      <li lang="en">${reason.message} ${reason.advice}</li>`)}</ul>
  </div>`;
}

// A live claim is taken away only at a second question: its handler may hang, or merely be slow.
function Recover({ job, again }) {
  const [live, setLive] = useState(false);
  const act = async (reason) => {
    const body = { claim_token: job.claim_token, reason, force: live };
    try {
      const answer = await post(`/v1/jobs/${job.job_id}:recover`, body);
      take({ jobs: [answer.job] });
      again();
    } catch (problem) {
      setLive(problem.reason === "CLAIM_LIVE");
      throw problem;
    }
  };
  const yes = t(live ? "recover_force" : "recover");
  return html`<${Confirm} label=${t("recover")} question=${t("recover_question", { n: job.job_id })}
    yes=${yes} act=${act} reason />`;
}
