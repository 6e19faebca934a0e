// Schedules: when each submits its job next, what became of the last time, pause, resume and remove.
import { get, post } from "../api.js";
import { may } from "../caller.js";
import { kindName, moduleName, time, typeName, zone } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";
import { StatusBadge } from "./badge.js";
import { Confirm } from "./confirm.js";

const WENT_WRONG = ["PIPELINE_STATUS_FAILED", "PIPELINE_STATUS_PARTIAL", "PIPELINE_STATUS_CANCELLED"];

export const askSchedules = (signal) => get("/v1/schedules", {}, { signal });

/** The words above the cells of `scheduleRow`; false for a column that is left out. */
export const scheduleHead = () => ["schedule", "cron", "what", "next_tick", "last_tick",
  may("PauseSchedule") && "act"];

/** A schedule as the cells of a row; `again` asks for what an act has changed. */
export const scheduleRow = (one, again) => [
  one.name,
  html`<code>${one.cron}</code> ${one.time_zone}`,
  [kindName(one.job_type), one.scope?.module && moduleName(one.scope.module), typeName(one.scope?.data_entry_type)]
    .filter(Boolean).join(", "),
  one.paused_at ? html`<strong>${t("paused")}</strong> ${one.paused_by} ${one.pause_reason}` : time(one.next_tick_at),
  html`<${Last} one=${one} />`,
  may("PauseSchedule") && html`<div class="acts"><${Act} one=${one} again=${again} />
    ${may("DeleteSchedule") && html`<${Confirm} label=${t("remove")} yes=${t("remove")} act=${remove(one, again)}
      question=${t("remove_schedule_question", { name: one.name })} />`}</div>`,
];

const remove = (one, again) => async () => {
  await post(`/v1/schedules/${encodeURIComponent(one.name)}:delete`, {});
  again();
};

function Last({ one }) {
  const outcome = one.last_outcome?.replace("TICK_OUTCOME_", "");
  const refused = outcome && !["SUBMITTED", "UNSPECIFIED"].includes(outcome);
  return html`${one.stuck && html`<p class="bad-text">${t("stuck")} <span lang="en">${one.stuck}</span></p>`}
    ${time(one.last_tick_at)} ${refused && html`<span class="bad-text">${t(`tick.${outcome}`)}:
      <span lang="en">${one.last_message}</span></span>`}
    ${Number(one.last_pipeline_id) > 0 && html`<p><a href=${`/pipelines/${one.last_pipeline_id}`}>
      ${t("pipeline_n", { n: one.last_pipeline_id })}</a> ${WENT_WRONG.includes(one.last_pipeline_status)
      && html`<${StatusBadge} row=${{ status: one.last_pipeline_status }} />`}</p>`}`;
}

function Act({ one, again }) {
  const verb = one.paused_at ? "resume" : "pause";
  const act = async (reason) => {
    await post(`/v1/schedules/${encodeURIComponent(one.name)}:${verb}`, one.paused_at ? {} : { reason });
    again();
  };
  return one.paused_at
    ? html`<${Confirm} label=${t("resume")} yes=${t("resume")} act=${act}
        question=${t("resume_schedule_question", { name: one.name })} />`
    : html`<${Confirm} label=${t("pause")} yes=${t("pause")} act=${act} reason
        question=${t("pause_schedule_question", { name: one.name })} />`;
}
