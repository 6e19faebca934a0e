// What is known of pipelines, jobs and years. No page and no network: only states and their rules.
//
// Rows are states: of two, the one with the greater version stands, whatever came first. `take` is
// the only writer, and all that came in one message is taken at once, so that no page shows half.
import { batch, computed, signal } from "@preact/signals";
import { paced } from "./html.js";

const LIVE = ["PIPELINE_STATUS_NOT_STARTED", "PIPELINE_STATUS_RUNNING"];
const FAILED = ["PIPELINE_STATUS_FAILED", "PIPELINE_STATUS_PARTIAL"];
const BEGUN = ["JOB_STATE_RUNNING", "JOB_STATE_FINISHED"];
// The steps of a pipeline, as people know them: read, compute, sum.
const STEPS = {
  csv_ingest: 1, csv_check: 1, routed_ingest: 1, api_ingest: 1, upload_withdrawal: 1, factor_ingest: 1,
  reference_ingest: 1, unit_sync: 1, emission_recalc: 2, module_emission_recalc: 2, aggregation: 3,
  factor_check: 1, reference_check: 1, unit_check: 1, routed_check: 1, routed_factor_ingest: 1,
  routed_factor_check: 1,
};
const CHECKS = [
  "csv_check", "routed_check", "factor_check", "routed_factor_check", "reference_check", "unit_check",
];
const ALONE = ["unit_sync", ...CHECKS];
const STEP_COUNT = 3;

export const pipelines = signal(new Map());
export const jobs = signal(new Map());
export const years = signal(new Map());
export const connection = signal({ state: "connecting", since: 0 });
/** The server's clock minus the browser's, in milliseconds: a browser's clock may be a day wrong. */
export const clockSkew = signal(0);
/** By year, grows whenever a pipeline that may have changed totals ends, or the rows were read anew. */
export const ends = signal(new Map());
/** By year, grows with `ends` while a failure is known: it may be made good, or stand behind another end. */
export const failureEnds = signal(new Map());
/** Whether more pipelines may be live than the stream names; pages then ask for those of their year. */
export const moreLive = signal(false);
/** How often the rows were read anew after a break. */
export const breaks = signal(0);
/** Whether the rows are there that a stream begins with. */
export const hasRows = signal(false);
/** By year, the numbers of the pipelines whose failure stands, one of each module: the server knows older ones. */
export const failures = signal(new Map());
/** The answer of GET /v1/me; null until it is there. */
export const caller = signal(null);
const steps = new Map();
// The stream tells of the newest years only: of others a page asks.
const followed = new Set();
let wasWhole = false;

/**
 * Takes one message of the stream, or the answer of a call, whole. `asWhole`: what another tab knows,
 * which has had the whole. `newest`: the greatest number of a pipeline that who wrote a whole knew of.
 */
export function take(message) {
  const { pipelines: rows = [], jobs: news = [], years: told = [], whole = false, asWhole = false, newest = 0 } = message;
  batch(() => {
    if ("more_live" in message) moreLive.value = message.more_live;
    if (whole && wasWhole) breaks.value += 1;
    if (whole) dropEnded(rows, Number(newest));
    if (news.length) takeJobs(news);
    if (rows.length) takePipelines(rows, whole || asWhole);
    if (told.length) {
      const next = new Map(years.value);
      for (const year of told) next.set(year.year, year);
      years.value = next;
    }
    // What the stream itself tells says whether it is whole; the answer of a call does not.
    const follows = message.follows ?? ("whole" in message ? told.map((one) => one.year) : []);
    for (const year of follows) followed.add(year);
    // After a break, what ended meanwhile is not known: every total is asked for again.
    if (whole && wasWhole) for (const year of years.value.keys()) countEnd(year, true);
    // A tab that came later has it from the first one: the next whole comes after a break for it, too.
    wasWhole ||= whole || asWhole;
    hasRows.value = wasWhole;
  });
}

/** Everything that is known, as one message for `take`. */
export function snapshot() {
  return {
    pipelines: [...pipelines.value.values()],
    jobs: [...jobs.value.values()],
    years: [...years.value.values()],
    follows: [...followed],
    more_live: moreLive.value,
    asWhole: wasWhole,
  };
}

/** Forgets everything, as for another person. */
export function forget() {
  batch(() => {
    for (const map of [pipelines, jobs, years, ends, failureEnds, failures]) map.value = new Map();
    caller.value = null;
    steps.clear();
    followed.clear();
    wasWhole = false;
    hasRows.value = moreLive.value = false;
  });
}

/**
 * Takes what the server knows of a year, by module: the newest pipeline that is `active`, and the
 * `last_failed` one whose failure stands. Of doubtful ones, what is newer than the active one has ended.
 */
export function takeActive(year, modules) {
  const rows = (name) => modules.map((one) => one[name]).filter(Boolean);
  const newest = new Map(modules.map((one) => [one.module, Number(one.active?.pipeline_id ?? 0)]));
  const isOver = ([id, row]) => row.doubtful && row.scope?.year === year && !ALONE.includes(row.kind)
    && Number(id) > (newest.get(row.scope.module) ?? 0);
  batch(() => {
    takePipelines([...rows("active"), ...rows("last_failed")], true);
    pipelines.value = new Map([...pipelines.value].filter((entry) => !isOver(entry)));
    failures.value = new Map(failures.value).set(year, rows("last_failed").map((row) => row.pipeline_id));
  });
}

export function takeConnection(state, at = Date.now()) {
  if (connection.value.state !== state) connection.value = { state, since: at };
}

export function takeClock(serverTime, now = Date.now()) {
  clockSkew.value = Date.parse(serverTime) - now;
}

function takePipelines(rows, whole) {
  const next = new Map(pipelines.value);
  const ended = new Set();
  for (const row of rows) {
    const known = next.get(row.pipeline_id);
    if (known && !isLater(row, known)) continue;
    next.set(row.pipeline_id, row);
    const news = known ? isLive(known) : !whole && wasWhole;
    if (!isLive(row) && news && !isCheck(row)) ended.add(row.scope?.year ?? 0);
  }
  pipelines.value = next;
  for (const year of ended) countEnd(year, hasFailure(year) || moreLive.value);
}

// A whole names all that is live: what it leaves out has ended meanwhile, nobody here knows how. Pages
// that show it ask. What was submitted after the whole was written is not known to it. While more may be
// live than a whole names, what it leaves out is doubtful until the server is asked.
function dropEnded(rows, newest) {
  const named = new Set(rows.map((row) => row.pipeline_id));
  const next = new Map(pipelines.value);
  for (const [id, row] of pipelines.value) {
    if (!isLive(row) || named.has(id) || Number(id) > newest) continue;
    if (moreLive.value) next.set(id, { ...row, doubtful: true });
    else next.delete(id);
  }
  pipelines.value = next;
}

// The first claim of a job changes the status of its pipeline, and not the version; nor does doubt.
function isLater(row, known) {
  const [version, before] = [row, known].map((one) => Number(one.version));
  if (version !== before) return version > before;
  return Boolean(known.doubtful) || (known.status === LIVE[0] && row.status !== known.status);
}

function takeJobs(news) {
  const next = new Map(jobs.value);
  for (const job of news) {
    const known = next.get(job.job_id);
    if (known && !isNewer(job, known)) continue;
    next.set(job.job_id, job);
    const step = BEGUN.includes(job.state) ? (STEPS[job.job_type] ?? 1) : 0;
    // Between two steps no job runs: the step is the highest that began, and never falls.
    steps.set(job.pipeline_id, Math.max(step, steps.get(job.pipeline_id) ?? 0));
  }
  jobs.value = next;
}

// An older word never takes back that a job has finished, nor its progress.
function isNewer(job, known) {
  const [ended, was] = [job, known].map((one) => one.state === "JOB_STATE_FINISHED");
  if (ended !== was) return ended;
  const [token, before] = [job, known].map((one) => Number(one.claim_token ?? 0));
  if (token !== before) return token > before;
  return Date.parse(job.progress?.at ?? 0) >= Date.parse(known.progress?.at ?? 0) || ended;
}

function countEnd(year, withFailures) {
  for (const counted of withFailures ? [ends, failureEnds] : [ends]) {
    counted.value = new Map(counted.value).set(year, (counted.value.get(year) ?? 0) + 1);
  }
}

const hasFailure = (year) => failures.value.get(year)?.length > 0
  || [...pipelines.value.values()].some((row) => row.scope?.year === year && FAILED.includes(row.status));

// Of many pipelines that end together, a page asks once.
const ASKED_MS = 1000;
const [pacedEnds, pacedFailureEnds] = [ends, failureEnds].map((counted) => paced(counted, ASKED_MS));
export const endsOf = (year) => pacedEnds.value.get(year) ?? 0;
export const failureEndsOf = (year) => pacedFailureEnds.value.get(year) ?? 0;

/** Whether the stream tells how a year stands, so that nobody has to ask. */
export const isFollowed = (year) => followed.has(year);

export function isLive(row) {
  return LIVE.includes(row.status);
}

/** Whether it writes nothing: whatever it finds, a module stands as before. */
export const isCheck = (row) => CHECKS.includes(row.kind);

/** How many pipelines are live, of which that is known. */
export const liveCount = computed(() =>
  [...pipelines.value.values()].filter((row) => isLive(row) && !row.doubtful).length);

/**
 * The jobs of a pipeline, in the order in which they were made. A job names the pipeline that owns it:
 * `joined` are those that the server told of this one, of which some may be another's.
 */
export function jobsOf(pipelineId, joined = []) {
  const told = new Set(joined.map((job) => job.job_id));
  return [...jobs.value.values()]
    .filter((job) => job.pipeline_id === pipelineId || told.has(job.job_id))
    .sort((a, b) => Number(a.job_id) - Number(b.job_id));
}

/** The step that a live pipeline is at, and of how many. */
export function stepOf(row) {
  const of = ALONE.includes(row.kind) ? 1 : STEP_COUNT;
  return { step: Math.min(of, Math.max(1, steps.get(row.pipeline_id) ?? 1)), of };
}
