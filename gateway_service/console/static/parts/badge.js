// How a module stands, as a badge that opens its diagnosis; how a pipeline does, also said at its end.
import { useEffect, useRef, useState } from "preact/hooks";
import { between, count, kindName, time, typeName } from "../format.js";
import { html } from "../html.js";
import { failures, isCheck, isLive, jobsOf, pipelines, stepOf, years } from "../store.js";
import { t } from "../words.js";
import { CopyButton, Disclosure } from "./disclosure.js";

const FAILED = ["PIPELINE_STATUS_FAILED", "PIPELINE_STATUS_PARTIAL"];

/** The newest pipeline of a module in a year that `fits`, apart from cancelled ones and from checks. */
export function newestOf(year, module, fits = () => true) {
  let newest = null;
  for (const row of pipelines.value.values()) {
    if (row.scope?.year !== year || row.scope?.module !== module || !fits(row)) continue;
    if (row.status === "PIPELINE_STATUS_CANCELLED" || isCheck(row)) continue;
    if (!newest || Number(row.pipeline_id) > Number(newest.pipeline_id)) newest = row;
  }
  return newest;
}

/**
 * How the totals of a module stand in a year: one of live, stale, fresh, none, in this order. `row` is the
 * newest pipeline, or null; of live ones the newest live one, since a newer one of another type may have
 * ended before. Computed when asked, stored nowhere. What failed is told beside it: see `failureOf`.
 */
export function standing(year, module) {
  const live = newestOf(year, module, isLive);
  if (live) return { kind: "live", row: live, ...stepOf(live) };
  const row = newestOf(year, module);
  const known = freshnessOf(year, module);
  if (known && !known.fresh) return { kind: "stale", row, types: known.stale_types ?? [] };
  if (known) return { kind: "fresh", row, warnings: Boolean(row?.has_warnings) };
  return { kind: "none", row };
}

/**
 * The pipeline of a module whose failure stands, or null: what ended last, if it failed, and else what the
 * server knows that nobody has made good. A newer upload of another type hides nothing.
 */
export function failureOf(year, module) {
  const ended = newestOf(year, module, (row) => !isLive(row));
  if (FAILED.includes(ended?.status)) return ended;
  const told = (failures.value.get(year) ?? []).map((id) => pipelines.value.get(id));
  return told.find((row) => row?.scope?.module === module) ?? null;
}

const freshnessOf = (year, module) => years.value.get(year)?.modules?.find((one) => one.module === module);

/** Whether totals are behind their data, and nothing is on its way. */
export function isStale(year, module) {
  return standing(year, module).kind === "stale";
}

// Of 16 units, drawn in the colour of the text. A word always stands beside them.
const PATHS = {
  run: "M13 3v4H9M3 13V9h4M12.5 7A5 5 0 0 0 4 5.2M3.5 9a5 5 0 0 0 8.5 1.8",
  ok: "M3 8.5l3.2 3L13 5",
  warn: "M8 2.5l6 11H2zM8 6.5v3.2M8 11.4v.4",
  bad: "M4 4l8 8M12 4l-8 8",
  none: "M4 8h8",
  wait: "M8 3.5V8l3 2M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2",
};

/** One of run, ok, warn, bad, none, wait. */
export function Icon({ name }) {
  return html`<svg class=${`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} />
  </svg>`;
}

const TONES = { live: "run", stale: "warn", fresh: "ok", none: "mute" };
const ICONS = { live: "run", stale: "wait", fresh: "ok", none: "none" };

/** How the totals of a module stand in a year. */
export function ModuleBadge({ year, module }) {
  const now = standing(year, module);
  const text = t(`standing.${now.kind}`, { step: now.step, of: now.of });
  const label = html`<${Icon} name=${ICONS[now.kind]} /><span class="badge-text">${text}</span>`;
  return html`<${Disclosure} label=${label} tone=${TONES[now.kind]}>
    <${Diagnosis} now=${now} />
  <//>`;
}

/** What failed in a module and year, until it is made good; nothing if nothing did. */
export function FailureBadge({ year, module }) {
  const row = failureOf(year, module);
  if (!row) return null;
  const [icon, tone] = STATUS_TONES[statusOf(row)];
  const what = typeName(row.scope.data_entry_type) || kindName(row.kind);
  const label = html`<${Icon} name=${icon} /><span class="badge-text">${t(`failure.${statusOf(row)}`, { what })}</span>`;
  return html`<${Disclosure} label=${label} tone=${tone}>
    <${Pipeline} row=${row} />
    ${row.message && !jobsOf(row.pipeline_id).length && html`<p class="soft" lang="en">${row.message}</p>`}
    <p class="soft">${[kindName(row.kind), row.scope.unit && t("unit_n", { unit: row.scope.unit }), row.submitted_by,
      time(row.created_at)].filter(Boolean).join(", ")}</p>
    <p class="soft">${t("failure_stands")}</p>
  <//>`;
}

function Diagnosis({ now }) {
  const { row, kind } = now;
  return html`
    ${kind === "stale" && html`<p>${t("stale_because")} ${now.types.map(typeName).join(", ")}</p>`}
    ${kind === "fresh" && html`<p>${t("fresh_means")}</p>`}
    ${kind === "none" && html`<p>${t("none_means")}</p>`}
    ${row && html`<${Pipeline} row=${row} />`}
  `;
}

function Pipeline({ row }) {
  return html`<p class="panel-head">
        <strong>${t("pipeline_n", { n: row.pipeline_id })}</strong>${" "}
        <${CopyButton} text=${row.pipeline_id} label=${t("copy_number")} />${" "}
        <a href=${`/pipelines/${row.pipeline_id}`}>${t("open")}</a>
      </p>
      <${Steps} row=${row} />`;
}

function Steps({ row }) {
  const steps = jobsOf(row.pipeline_id);
  if (!steps.length) {
    return html`<p class="soft">${statusWords(row)}${row.finished_at && `, ${time(row.finished_at)}`}</p>`;
  }
  return html`<ol class="plain">
    ${steps.map((job) => html`<li key=${job.job_id}>
      ${kindName(job.job_type)}: ${stateWords(job)}
      ${job.message && html`<div class="soft" lang="en">${job.message}</div>`}
    </li>`)}
  </ol>`;
}

/** A job's state or result in words, with its progress and how long it ran. */
export function stateWords(job) {
  const ended = job.state === "JOB_STATE_FINISHED";
  const word = t(`state.${ended ? job.result : job.state}`);
  const { done = 0, total = 0 } = job.progress ?? {};
  const of = !ended && Number(total) ? `, ${t("n_of", { n: count(done), of: count(total) })}` : "";
  const ran = job.started_at ? `, ${between(job.started_at, job.finished_at)}` : "";
  return word + of + ran;
}

const statusOf = (row) => row.status.replace("PIPELINE_STATUS_", "");

const STATUS_TONES = {
  NOT_STARTED: ["wait", "mute"], RUNNING: ["run", "run"], SUCCESS: ["ok", "ok"],
  PARTIAL: ["warn", "warn"], FAILED: ["bad", "bad"], CANCELLED: ["none", "mute"],
};

/** A pipeline's status in words. */
export function statusWords(row) {
  const status = statusOf(row);
  return t(status === "SUCCESS" && row.has_warnings ? "status.WARNING" : `status.${status}`);
}

/** A pipeline's status as icon, word and colour. */
export function StatusBadge({ row }) {
  const status = statusOf(row);
  const warned = status === "SUCCESS" && row.has_warnings;
  const [icon, tone] = warned ? ["warn", "warn"] : (STATUS_TONES[status] ?? ["none", "mute"]);
  return html`<span class=${`badge tone-${tone}`}>
    <${Icon} name=${icon} /><span class="badge-text">${statusWords(row)}</span>
  </span>`;
}

// Between two ends that are said.
const PAUSE_MS = 1000;

/** Says to a screen reader when a pipeline ends: ends only, never progress, one a second at most. */
export function Announcer() {
  const live = useRef(new Set());
  const waiting = useRef([]);
  const timer = useRef(0);
  const [text, setText] = useState("");
  const rows = pipelines.value;
  useEffect(() => {
    for (const row of rows.values()) {
      if (isLive(row)) live.current.add(row.pipeline_id);
      else if (live.current.delete(row.pipeline_id)) waiting.current.push(row);
    }
    const next = () => {
      const row = waiting.current.shift();
      timer.current = 0;
      if (!row) return;
      setText(`${t("pipeline_n", { n: row.pipeline_id })}: ${statusWords(row)}`);
      timer.current = setTimeout(next, PAUSE_MS);
    };
    if (!timer.current) next();
  }, [rows]);
  return html`<p class="off-screen" aria-live="polite">${text}</p>`;
}
