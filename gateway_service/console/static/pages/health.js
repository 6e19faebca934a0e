// For operators: stale totals, queues, workers, what is paused, and whether every rule holds.
import { useState } from "preact/hooks";
import { get, getAll, post, requestId } from "../api.js";
import { isWhole, may } from "../caller.js";
import { between, clock, count, duration, kindName, moduleName, short, time, zone } from "../format.js";
import { html } from "../html.js";
import { Limited, Trouble, useAsked, Waiting } from "../parts/asked.js";
import { Confirm, Recalculate } from "../parts/confirm.js";
import { NewSchedule } from "../parts/schedule_form.js";
import { askSchedules, scheduleHead, scheduleRow } from "../parts/schedules.js";
import { clockSkew, pipelines } from "../store.js";
import { t, tn } from "../words.js";

// What one click verifies: the newest ones, which are those that may have gone wrong lately.
const VERIFIED_MAX = 5000;
const VERIFIED_PAGE = 500;

export function Page() {
  return html`<h1>${t("page.health")}</h1>
    <${Limited} /><${Stale} />${isWhole() && html`<${Queues} />`}<${Pauses} />
    ${isWhole() && html`<${Schedules} /><${Workers} />`}
    ${may("VerifyHistory") && html`<${Verify} />`}`;
}

const serverClock = () => clock(Date.now() + clockSkew.value);

/** A section that asks for one list; a part that fails leaves the others. */
function Section({ title, ask, children }) {
  const asked = useAsked(async (signal) => ({ answer: await ask(signal), at: serverClock() }), []);
  return html`<section>
    <div class="heading"><h2>${title}</h2><button type="button" class="small" onClick=${asked.again}>${t("ask_again")}
      <span class="off-screen">${title}</span></button></div>
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    ${asked.value && html`<div class=${asked.busy ? "dim" : ""} aria-busy=${asked.busy}>
      ${asked.value.answer.more && html`<p class="notice">${t("list_cut", { n: count(asked.value.answer.found.length) })}</p>`}
      ${children(asked.value.answer, asked.again, asked.value.at)}</div>`}
  </section>`;
}

function Stale() {
  const ask = (signal) => getAll("/v1/stale-stats", "stats", {}, { signal });
  return html`<${Section} title=${t("stale_totals")} ask=${ask}>${({ found }, again, at) => !found.length
    ? html`<p>${t("nothing_stale", { at })}</p>`
    : html`<${Rows} caption=${`${t("stale_totals")} (${zone()})`}
        head=${["module", "year", "why", "since", may("Submit") && "act"]}
        rows=${found.map((one) => [moduleName(one.module), one.year,
          html`${t(`stale_reason.${short(one.reason, "STALE_REASON_")}`)} ${pipelineLink(one.pipeline_id)}`,
          time(one.stale_since),
          html`<${Recalculate} year=${one.year} module=${one.module} stale done=${again} />`,
        ])} />`}<//>`;
}

// Sentences of services are English, whatever the page speaks.
const english = (text) => html`<span lang="en">${text}</span>`;
const pipelineLink = (id) => (Number(id) ? html`<a href=${`/pipelines/${id}`}>${t("pipeline_n", { n: id })}</a>` : "");

function Queues() {
  const ask = (signal) => getAll("/v1/queues", "queues", {}, { signal });
  const pause = (queue, again) => async (reason) => {
    await post(`/v1/job-types/${queue.job_type}:pause`, { reason });
    again();
  };
  const act = (queue, again) => !queue.paused && may("PauseJobType") && html`<${Confirm} label=${t("pause")}
    yes=${t("pause")} question=${t("pause_question", { kind: kindName(queue.job_type) })} reason act=${pause(queue, again)} />`;
  return html`<${Section} title=${t("queues")} ask=${ask}>${({ found }, again) => !found.length
    ? html`<p>${t("no_queues")}</p>`
    : html`<${Rows} caption=${t("queues")} numbers=${[1, 2, 3, 4]}
        head=${["kind", "waiting", "oldest", "running", "live_workers", "state_head", may("PauseJobType") && "act"]}
        rows=${found.map((queue) => [kindName(queue.job_type), count(queue.claimable), duration(queue.oldest_wait),
          count(queue.running), count(queue.live_workers), t(queue.paused ? "paused" : "open_queue"),
          act(queue, again)])} />`}<//>`;
}

function Pauses() {
  const ask = (signal) => getAll("/v1/job-types/pauses", "pauses", {}, { signal });
  const resume = (pause, again) => async () => {
    await post(`/v1/job-types/${pause.job_type}:resume`);
    again();
  };
  return html`<${Section} title=${t("paused_types")} ask=${ask}>${({ found: pauses }, again) => !pauses.length
    ? html`<p>${t("nothing_paused")}</p>`
    : html`<${Rows} caption=${`${t("paused_types")} (${zone()})`}
        head=${["kind", "since", "paused_by", "reason", may("ResumeJobType") && "act"]}
        rows=${pauses.map((pause) => [kindName(pause.job_type), time(pause.paused_at), pause.paused_by, pause.reason,
          may("ResumeJobType") && html`<${Confirm} label=${t("resume")} yes=${t("resume")}
            question=${t("resume_question", { kind: kindName(pause.job_type) })} act=${resume(pause, again)} />`])} />`}<//>`;
}

function Schedules() {
  return html`<${Section} title=${t("schedules")} ask=${askSchedules}>${({ schedules }, again) => html`
    ${!schedules.length ? html`<p>${t("no_schedules")}</p>`
      : html`<${Rows} caption=${`${t("schedules")} (${zone()})`} head=${scheduleHead()}
        rows=${schedules.map((one) => scheduleRow(one, again))} />`}
    ${may("CreateSchedule") && html`<${NewSchedule} again=${again} />`}`}<//>`;
}

function Workers() {
  const ask = (signal) => getAll("/v1/workers", "workers", {}, { signal });
  const drain = (worker, again) => async (reason) => {
    await post(`/v1/workers/${encodeURIComponent(worker.worker_id)}:drain`, { reason, request_id: requestId() });
    again();
  };
  return html`<${Section} title=${t("workers")} ask=${ask}>${({ found: workers, answer }, again) => html`
    ${workers.some((one) => one.build_skew) && html`<p class="notice">
      ${t("mixed_builds", { build: answer.scheduler_build_id })}</p>`}
    ${!workers.length ? html`<p class="notice">${t("no_workers")}</p>` : html`<${Rows}
      caption=${`${t("workers")} (${zone()})`} head=${["worker", "state_head", "holds", "seen", may("DrainWorker") && "act"]}
      rows=${workers.map((one) => [one.worker_id,
        html`${t(`worker_state.${short(one.state, "WORKER_STATE_")}`)} ${english(one.not_ready)}`,
        [...one.held.map((claim) => `${t("job_n", { n: claim.job_id })} ${kindName(claim.job_type)}`),
          one.held_left_out && t("and_more", { n: count(one.held_left_out) })].filter(Boolean).join(", "),
        between(one.last_seen_at),
        may("DrainWorker") && html`<${Confirm} label=${t("drain")} yes=${t("drain")}
          question=${t("drain_question", { worker: one.worker_id })} reason act=${drain(one, again)} />`])} />`}`}<//>`;
}

function Verify() {
  const [state, setState] = useState({ busy: false, done: null, error: null });
  const verify = async () => {
    setState({ busy: true, done: null, error: null });
    try {
      setState({ busy: false, done: await verifyNewest(), error: null });
    } catch (error) {
      setState({ busy: false, done: null, error });
    }
  };
  const { done } = state;
  return html`<section aria-busy=${state.busy}>
    <div class="heading"><h2>${t("verify_history")}</h2><button type="button" class="small" disabled=${state.busy}
      onClick=${verify}>${t("verify")}</button></div>
    <p class="soft">${t("verify_help", { n: count(VERIFIED_MAX) })}</p>
    <${Trouble} error=${state.error} again=${verify} />
    <div role="status">${state.busy && t("loading")}${done && !done.findings.length
      && tn("verify_fine", done.pipelines, { at: done.at })}</div>
    ${done?.more && html`<p class="notice">${t("list_cut", { n: count(done.findings.length) })}</p>`}
    ${done?.findings.length > 0 && html`<${Rows} caption=${tn("verify_found", done.findings.length)}
      head=${["rule", "detail", "where"]} rows=${done.findings.map((one) => [english(one.sentence), english(one.detail),
        pipelineLink(one.pipeline_id)])} />`}
  </section>`;
}

async function verifyNewest() {
  const newest = Math.max(0, ...[...pipelines.value.keys()].map(Number));
  const found = { findings: [], pipelines: 0, more: false, at: "" };
  const after = Math.max(0, newest - VERIFIED_MAX);
  let page = "";
  do {
    const query = { after_pipeline_id: after || "", page_size: VERIFIED_PAGE, page_token: page };
    const answer = await get("/v1/history-findings", query);
    found.findings.push(...answer.findings);
    found.pipelines += answer.pipelines;
    found.more ||= answer.has_more_findings;
    page = answer.next_page_token;
  } while (page);
  return { ...found, at: serverClock() };
}

/** `head` are words, false for a column that is left out; `numbers` are columns to the right. */
function Rows({ caption, head, rows, numbers = [] }) {
  const shown = head.map((name, index) => (name ? index : -1)).filter((index) => index >= 0);
  const align = (index) => (numbers.includes(index) ? "number" : undefined);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table>
    <caption>${caption}</caption>
    <thead><tr>${shown.map((at) => html`<th scope="col" class=${align(at)}>${t(head[at])}</th>`)}</tr></thead>
    <tbody>${rows.map((cells, index) => html`<tr key=${index}>${shown.map((at) => (at
      ? html`<td class=${align(at)}>${cells[at]}</td>` : html`<th scope="row">${cells[at]}</th>`))}</tr>`)}</tbody>
  </table></div>`;
}
