// For operators: stale totals, queues, workers, paused types, and what can be done.
import { get, getAll, post, requestId } from "../api.js";
import { between, clock, count, kindName, moduleName, named, time, zone } from "../format.js";
import { html } from "../html.js";
import { Trouble, useAsked } from "../parts/asked.js";
import { Confirm } from "../parts/confirm.js";
import { clockSkew } from "../store.js";
import { t } from "../words.js";

export function Page() {
  return html`<h1>${t("page.health")}</h1>
    <${Stale} /><${Queues} /><${Workers} />`;
}

/** A section that asks for one list; a part that fails leaves the others. */
function Section({ title, ask, children }) {
  const asked = useAsked(ask, []);
  const at = clock(Date.now() + clockSkew.value);
  return html`<section>
    <h2>${title} <button type="button" class="small" onClick=${asked.again}>${t("ask_again")}</button></h2>
    <${Trouble} error=${asked.error} again=${asked.again} />
    ${asked.value && html`<div class=${asked.busy ? "dim" : ""} aria-busy=${asked.busy}>
      ${children(asked.value, asked.again, at)}</div>`}
  </section>`;
}

function Stale() {
  const ask = (signal) => getAll("/v1/stale-stats", "stats", {}, { signal });
  return html`<${Section} title=${t("stale_totals")} ask=${ask}>${({ found }, again, at) => !found.length
    ? html`<p>${t("nothing_stale", { at })}</p>`
    : html`<${Rows} caption=${`${t("stale_totals")} (${zone()})`} head=${["module", "year", "why", "since"]}
        rows=${found.map((one) => [moduleName(one.module), one.year, named(one.reason ?? one.why_stale, "STALE_REASON_"),
          time(one.stale_since ?? one.since)])} />`}<//>`;
}

function Queues() {
  const ask = (signal) => getAll("/v1/queues", "queues", {}, { signal });
  const act = (queue, again) => async (reason) => {
    const verb = queue.paused ? "resume" : "pause";
    await post(`/v1/job-types/${queue.job_type}:${verb}`, queue.paused ? {} : { reason });
    again();
  };
  return html`<${Section} title=${t("queues")} ask=${ask}>${({ found }, again) => !found.length
    ? html`<p>${t("no_queues")}</p>`
    : html`<${Rows} caption=${t("queues")} 
        head=${["kind", "waiting", "oldest", "running", "live_workers", "state_head", "act"]}
        rows=${found.map((queue) => [kindName(queue.job_type), count(queue.claimable), queue.oldest_wait ?? "",
          count(queue.running), count(queue.live_workers), t(queue.paused ? "paused" : "open_queue"),
          html`<${Confirm} label=${t(queue.paused ? "resume" : "pause")} yes=${t(queue.paused ? "resume" : "pause")}
            question=${t(queue.paused ? "resume_question" : "pause_question", { kind: kindName(queue.job_type) })}
            reason=${!queue.paused} act=${act(queue, again)} />`])} />`}<//>`;
}

function Workers() {
  const ask = (signal) => get("/v1/workers", {}, { signal });
  const drain = (worker, again) => async (reason) => {
    await post(`/v1/workers/${encodeURIComponent(worker.worker_id)}:drain`, { reason, request_id: requestId() });
    again();
  };
  return html`<${Section} title=${t("workers")} ask=${ask}>${({ workers, scheduler_build_id: build }, again) => html`
    ${workers.some((one) => one.build_skew) && html`<p class="notice">${t("mixed_builds", { build })}</p>`}
    ${!workers.length ? html`<p class="notice">${t("no_workers")}</p>` : html`<${Rows}
      caption=${`${t("workers")} (${zone()})`} head=${["worker", "state_head", "holds", "seen", "act"]}
      rows=${workers.map((one) => [one.worker_id,
        html`${named(one.state, "WORKER_STATE_")} ${one.not_ready}`,
        one.held.map((claim) => `${t("job_n", { n: claim.job_id })} ${kindName(claim.job_type)}`).join(", "),
        between(one.last_seen_at),
        html`<${Confirm} label=${t("drain")} yes=${t("drain")} question=${t("drain_question", { worker: one.worker_id })}
          reason act=${drain(one, again)} />`])} />`}`}<//>`;
}

function Rows({ caption, head, rows }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table>
    <caption>${caption}</caption>
    <thead><tr>${head.map((name) => html`<th scope="col">${t(name)}</th>`)}</tr></thead>
    <tbody>${rows.map(([first, ...rest], index) => html`<tr key=${index}><th scope="row">${first}</th>
      ${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
