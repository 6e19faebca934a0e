// The start: how a year stands, per module, and what to do next.
import { useEffect } from "preact/hooks";
import { get, post } from "../api.js";
import { askNewest, askTotals, isWhole, may, seesModule } from "../caller.js";
import { change, MODULES, moduleName, time, tonnes } from "../format.js";
import { html } from "../html.js";
import { Limited, Trouble, useAsked, Waiting } from "../parts/asked.js";
import { FailureBadge, isStale, ModuleBadge, newestOf } from "../parts/badge.js";
import { Confirm, Recalculate } from "../parts/confirm.js";
import { YearChoice } from "../router.js";
import { endsOf, failureEndsOf, isFollowed, isLive, moreLive, take, takeActive, years } from "../store.js";
import { t, tn } from "../words.js";

// While more is live than the stream follows.
const ASKED_AGAIN_MS = 10_000;

export function Page({ year }) {
  const ends = endsOf(year);
  const told = useAsked(async (signal) => (isFollowed(year) ? years.peek().get(year) : askYear(year, signal)), [year, ends]);
  const totals = useAsked((signal) => askTotals(year, signal), [year, ends]);
  const before = useAsked((signal) => askTotals(year - 1, signal), [year]);
  const uploads = useAsked((signal) => askNewest(year, MODULES.filter(seesModule), signal), [year, ends]);
  const active = useAsked((signal) => askActive(year, signal), [year, failureEndsOf(year)]);
  useEffect(() => {
    if (!moreLive.value || active.busy) return undefined;
    const timer = setTimeout(active.again, ASKED_AGAIN_MS * (1 + Math.random()));
    return () => clearTimeout(timer);
  }, [moreLive.value, active.busy]);
  const state = years.value.get(year) ?? told.value;
  const sum = totals.value?.institution;
  return html`
    <div class="heading"><h1>${year}</h1>
      <${YearChoice} year=${year} more=${totals.value?.years} href=${(one) => `/years/${one}`} /></div>
    <${Limited} />
    <${Waiting} asked=${totals.error ? told : totals} />
    <${Trouble} error=${told.error ?? totals.error ?? active.error}
      again=${() => (told.again(), totals.again(), active.again())} />
    ${state && !state.provisioned && html`<p class="notice">${t("not_provisioned")}${" "}
      ${may("Submit") && isWhole() && html`<a href=${`/upload?kind=units&year=${year}`}>${t("upload_units")}</a>`}</p>`}
    ${state?.locked && html`<p class="notice">${t("locked", { by: state.locked_by, why: state.lock_reason })}</p>`}
    ${sum && html`<p class=${`headline ${totals.busy ? "dim" : ""}`} aria-busy=${totals.busy}>
      <span class="figure" id="year-total">${tonnes(sum.total_kg)}</span>${" "}
      <span>t CO₂eq ${tn("over_units", totals.value.unit_totals.length)}
      ${change(sum.total_kg, before.value?.institution?.total_kg) && html`, ${t("than_last_year", {
        change: change(sum.total_kg, before.value.institution.total_kg), year: year - 1 })}`}${" "}
      <a href=${`/totals?year=${year}`}>${t("page.totals")}</a></span>
    </p>`}
    <ul class="tiles">${MODULES.filter(seesModule).map((module) => html`<li class="tile" key=${module}>
      <${Tile} year=${year} module=${module} totals=${totals.value} uploads=${uploads.value}
        before=${before.value} />
    </li>`)}</ul>
    ${state?.provisioned && may("LockPeriod") && html`<${Lock} year=${year} state=${state} again=${() => askYear(year)} />`}
  `;
}

async function askYear(year, signal) {
  const answer = await get(`/v1/years/${year}`, {}, { signal });
  take({ years: [answer] });
  return answer;
}

// The stream begins with the newest pipelines: what failed may be older, and still be so. Of very many that
// are live it follows those that changed last: what else the badges would show is asked for by itself.
async function askActive(year, signal) {
  const query = { include_last_failed: true };
  const { modules } = await get(`/v1/years/${year}/active-pipelines`, query, { signal });
  takeActive(year, modules);
  if (!moreLive.peek()) return true;
  const told = modules.map((one) => one.active?.pipeline_id);
  const shown = MODULES.map((module) => newestOf(year, module, isLive)).filter(Boolean);
  await Promise.all(shown.filter((row) => !told.includes(row.pipeline_id)).map(async (row) => {
    const { pipeline, jobs } = await get(`/v1/pipelines/${row.pipeline_id}`, {}, { signal });
    take({ pipelines: [pipeline], jobs });
  }));
  return true;
}

function Tile({ year, module, totals, uploads, before }) {
  const rows = (totals?.module_totals ?? []).filter((row) => row.module === module);
  const kg = rows.reduce((sum, row) => sum + row.total_kg, 0);
  const entries = rows.reduce((sum, row) => sum + Number(row.entry_count), 0);
  const without = rows.reduce((sum, row) => sum + Number(row.entries_without_kg), 0);
  const last = (uploads?.found ?? []).filter((one) => one.module === module)
    .sort((a, b) => Number(b.upload_id) - Number(a.upload_id))[0];
  return html`
    <h2>${moduleName(module)}</h2>
    <div class="badges"><${ModuleBadge} year=${year} module=${module} />
      <${FailureBadge} year=${year} module=${module} /></div>
    <${Recalculate} key=${year} year=${year} module=${module} stale=${isStale(year, module)} />
    <p class="amount">${rows.length ? html`<strong>${tonnes(kg)}</strong> t CO₂eq,${" "}
      <a href=${`/explain?year=${year}&module=${module}`}>${tn("entries", entries)}
        <span class="off-screen"> ${moduleName(module)}</span></a>` : "–"}</p>
    ${without > 0 && html`<p class="warn-text">${tn("without_kg", without)}</p>`}
    ${last && html`<p class="soft">${t("last_file", { file: last.file_name || `#${last.upload_id}`,
      by: last.submitted_by, at: time(last.published_at) })}</p>`}
    ${Number(last?.rows_rejected) > 0 && html`<p class="warn-text"><a href=${`/rejected/${last.pipeline_id}`}>
      ${tn("see_rejected", last.rows_rejected)}</a></p>`}
    ${may("Submit") && html`<p class="next"><a href=${`/upload?year=${year}&module=${module}`}>${t("upload_a_file")}
      <span class="off-screen"> ${moduleName(module)}</span></a>
      ${uploads && !last && before?.module_totals.some((row) => row.module === module) && html`${" "}
        <a href=${`/explain?year=${year - 1}&module=${module}`}>${t("copy_last_year", { year: year - 1 })}
          <span class="off-screen"> ${moduleName(module)}</span></a>`}</p>`}
  `;
}

function Lock({ year, state, again }) {
  const act = async (reason) => {
    await post(`/v1/years/${year}:${state.locked ? "unlock" : "lock"}`, state.locked ? {} : { reason });
    again();
  };
  return state.locked
    ? html`<${Confirm} label=${t("unlock")} question=${t("unlock_question", { year })} yes=${t("unlock")} act=${act} />`
    : html`<${Confirm} label=${t("lock")} question=${t("lock_question", { year })} yes=${t("lock")} act=${act} reason />`;
}
