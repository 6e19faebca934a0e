// What a check of a file has found: what its upload would do at that moment.
import { change, count, moduleName, named, tonnes, typeName } from "../format.js";
import { html } from "../html.js";
import { t, tn } from "../words.js";
import { Icon } from "./badge.js";

// How a check calls the rows that it lists. Those without kilograms have their outcome as value.
const LISTS = ["rejected", "uncomputed", "warned", "doubtful"];
const LISTED_AS = { rejected: "finding.rejected", warned: "finding.doubtful", doubtful: "finding.doubtful" };
const SHOWN_MAX = 100;
// What a load counts, and the words for it.
const COUNTED = ["factors", "units"];
const CHANGES = ["new", "changed", "renamed", "moved", "same", "stale", "removed"];
const SIGNS = {
  good: ["ok", "ok"], unchanged: ["ok", "ok"], flawed: ["warn", "warn"], consent: ["warn", "warn"],
  refused: ["bad", "bad"],
};

/** Whether a job has read its file to the end, so that there is something to report. */
export const isReported = (job) => job?.state === "JOB_STATE_FINISHED" && job.stats?.rows !== undefined;

/** What the file would come to: one of refused, consent, flawed, unchanged, good. */
export function verdictOf(job) {
  const { stats = {} } = job;
  if (job.result === "JOB_RESULT_ERROR") return "refused";
  if (stats.needs_consent) return "consent";
  if (LISTS.some((noun) => stats[`rows_${noun}`] > 0)) return "flawed";
  return stats.unchanged ? "unchanged" : "good";
}

/** The report of a check that has ended; `of` tells its list from others of the page. */
export function CheckReport({ job, of = "" }) {
  const verdict = verdictOf(job);
  const [icon, tone] = SIGNS[verdict];
  return html`
    <p><span class=${`badge tone-${tone}`}><${Icon} name=${icon} />
      <span class="badge-text">${t(`verdict.${verdict}`)}</span></span></p>
    <${Summary} job=${job} refused=${verdict === "refused"} />
    ${verdict === "refused" ? html`<p lang="en">${job.message}</p>`
      : html`<details><summary>${t("in_words")}</summary><p lang="en">${job.message}</p></details>`}
    <${Findings} stats=${job.stats} of=${of} />
  `;
}

function Summary({ job, refused }) {
  const { stats, scope } = job;
  const said = [
    [t("rows_of_file"), count(stats.rows)],
    [t("accepted"), count(stats.rows_accepted)],
    [t("rejected"), count(stats.rows_rejected)],
    [t("without_kilograms"), stats.rows_uncomputed > 0 && outcomesOf(stats)],
    [t("doubtful"), doubtful(stats)],
    [t("columns_not_read"), (stats.unknown_columns ?? []).join(", ")],
    [t("replaces"), !refused && replaced(stats)],
    [t("same_rows_in"), (stats.same_rows_in_uploads ?? []).join(", ")],
    [t("change"), !refused && changesOf(stats)],
    [t("of_file"), !refused && "kg_of_file" in stats && html`${tonnes(stats.kg_of_file)} t CO₂eq`],
    ...(refused ? [] : amounts(stats, scope)),
  ].filter(([, value]) => value);
  return html`<table class="narrow check">
    <caption>${t("check_caption")}</caption>
    <tbody>${said.map(([name, value]) => html`<tr key=${name}><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody>
  </table>`;
}

const outcomeName = (outcome) => t(`outcome.${outcome}`) || named(outcome);

function outcomesOf({ outcomes = {} }) {
  const without = Object.entries(outcomes).filter(([name]) => !["computed", "overridden"].includes(name));
  return without.map(([name, number]) => t("outcome_n", { outcome: outcomeName(name), n: count(number) })).join(", ");
}

function doubtful(stats) {
  const rows = (stats.rows_warned ?? 0) + (stats.rows_doubtful ?? 0);
  return rows > 0 && count(rows);
}

function replaced(stats) {
  if (stats.unchanged) return t("same_rows_count");
  const gone = stats.would_replace;
  if (!gone) return "kg_of_file" in stats ? t("replaces_nothing") : "";
  const kg = gone.total_kg === undefined || gone.total_kg === null ? "" : `, ${tonnes(gone.total_kg)} t`;
  return t("replaces_upload", { n: gone.upload_id, file: gone.file_name, rows: tn("rows_n", gone.rows) }) + kg;
}

function changesOf(stats) {
  const found = COUNTED.flatMap((of) => CHANGES.filter((one) => `${of}_${one}` in stats)
    .map((one) => `${count(stats[`${of}_${one}`])} ${t(`changes.${one}`)}`));
  return found.join(", ");
}

// Of activity data one type and year; of a load all that are computed again.
function amounts(stats, scope) {
  const loads = (stats.kilograms ?? []).map((of) => [
    `${typeName(of.type.toUpperCase())} ${of.year}`, nowAndWith(of.kg_before, of.kg_after, of.entries_without_kg)]);
  if (!("kg_after" in stats)) return loads;
  return [[`${moduleName(scope.module)}, ${typeName(scope.data_entry_type)} ${scope.year}`,
    html`<strong>${nowAndWith(stats.kg_before, stats.kg_after)}</strong>`]];
}

function nowAndWith(before, after, without = 0) {
  const by = change(after, before);
  return t("now_and_with", { before: tonnes(before), after: tonnes(after) }) + (by && ` (${by})`)
    + (without > 0 ? `; ${tn("without_kg", without)}` : "");
}

/** The rows that a check lists, each with its reason, and all of them as files. */
export function Findings({ stats, of = "" }) {
  const files = LISTS.filter((noun) => stats[`${noun}_blob`]);
  if (!files.length) return null;
  const total = LISTS.reduce((sum, noun) => sum + (stats[`rows_${noun}`] ?? 0), 0);
  const rows = LISTS.flatMap((noun) => (stats[`${noun}_rows`] ?? []).map((one) => findingOf(noun, one)))
    .sort((a, b) => a.row - b.row).slice(0, SHOWN_MAX);
  const caption = (of && `${of}: `) + tn("findings", total) + (total > rows.length ? `, ${tn("the_first", rows.length)}` : "");
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table>
      <caption>${caption}</caption>
      <thead><tr><th scope="col" class="number">${t("row")}</th><th scope="col">${t("finding")}</th>
        <th scope="col">${t("column")}</th><th scope="col">${t("value")}</th><th scope="col">${t("reason")}</th></tr></thead>
      <tbody>${rows.map((one, index) => html`<tr key=${index}>
        <th scope="row" class="number">${count(one.row)}</th><td>${one.finding}</td>
        <td>${one.column && html`<code>${one.column}</code>`}</td><td>${one.value}</td>
        <td lang="en">${one.reason}</td></tr>`)}</tbody>
    </table></div>
    <p class="acts">${files.map((noun) => html`<a href=${`/v1/blobs/${stats[`${noun}_blob`]}/content`}
      download=${`${noun}.csv`}>${t(`findings_csv.${noun}`)}</a>`)}</p>`;
}

function findingOf(noun, one) {
  const isOutcome = noun === "uncomputed";
  const finding = isOutcome ? outcomeName(one.value) : t(LISTED_AS[noun]);
  return { row: one.row, column: one.column, value: isOutcome ? "" : one.value, reason: one.reason, finding };
}
