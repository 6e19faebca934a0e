// How a module stands in a year, and what failed in it: what follows from the states of the store.
import { failures, isCheck, isLive, pipelines, stepOf, years } from "./store.js";

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
