// Who looks at the console: what they may do, and when their login ends. The services decide; a
// button that they would refuse is not drawn.
import { get, getAll } from "./api.js";
import { html } from "./html.js";
import { caller } from "./store.js";
import { t } from "./words.js";

// The roles that may call each RPC, as the contract has them; a test compares.
const ROLES = {
  CancelPipeline: ["ROLE_GATEWAY", "ROLE_OPERATOR"],
  CreateSchedule: ["ROLE_OPERATOR"],
  DeleteMapping: ["ROLE_GATEWAY", "ROLE_OPERATOR"],
  DeleteSchedule: ["ROLE_OPERATOR"],
  DrainWorker: ["ROLE_OPERATOR"],
  GetQueueStats: ["ROLE_OPERATOR", "ROLE_MONITOR"],
  ListWorkers: ["ROLE_OPERATOR", "ROLE_MONITOR"],
  LockPeriod: ["ROLE_OPERATOR"],
  PauseJobType: ["ROLE_OPERATOR"],
  PauseSchedule: ["ROLE_OPERATOR"],
  RecoverJob: ["ROLE_OPERATOR"],
  ResumeJobType: ["ROLE_OPERATOR"],
  RetryPipeline: ["ROLE_GATEWAY", "ROLE_OPERATOR"],
  SaveMapping: ["ROLE_GATEWAY", "ROLE_OPERATOR"],
  Submit: ["ROLE_GATEWAY", "ROLE_OPERATOR"],
  UnlockPeriod: ["ROLE_OPERATOR"],
  VerifyHistory: ["ROLE_OPERATOR", "ROLE_MONITOR", "ROLE_AUDITOR"],
  WithdrawUpload: ["ROLE_GATEWAY", "ROLE_OPERATOR"],
};

// Those that callers with limited modules or units may call within them. The rest is about whole tenants.
const WITHIN_LIMITS = ["CancelPipeline", "RecoverJob", "RetryPipeline", "Submit", "WithdrawUpload"];

/** Whether the caller may act for all modules and units; false until that is known. */
export const isWhole = () => Boolean(caller.value?.all_modules && caller.value.all_units);

/** Whether the caller may call an RPC of the table, for something at least; false until that is known. */
export function may(rpc) {
  const isOfRole = caller.value?.roles.some((role) => ROLES[rpc].includes(role));
  return Boolean(isOfRole && (isWhole() || WITHIN_LIMITS.includes(rpc)));
}

/** Whether a module is among the caller's; until that is known, all are. */
export const seesModule = (module) => !caller.value || caller.value.all_modules || caller.value.modules.includes(module);

/** Whether the caller may submit what is about all units of a module. */
export const mayForAllUnits = (module) => Boolean(may("Submit") && caller.value.all_units && seesModule(module));

const RETRY_MS = 3000;
const UNAUTHENTICATED = 401;

let asked = null;

/** The answer of GET /v1/me, asked for once. */
export async function whoLooks() {
  if (caller.value) return caller.value;
  asked ??= get("/v1/me").finally(() => (asked = null));
  caller.value = await asked;
  return caller.value;
}

/** Asks who the caller is, and asks again until there is an answer: without one, no act is offered. */
export async function learnCaller() {
  try {
    await whoLooks();
  } catch (error) {
    if (error.status !== UNAUTHENTICATED) setTimeout(() => caller.value ?? learnCaller(), RETRY_MS);
  }
}

// Which institution is looked at, of those of the caller: in a cookie, since links to files carry nothing
// else. The gateway names it in each call.
const CHOICE = "carbonline-tenant";
const kept = () => document.cookie.split("; ").find((one) => one.startsWith(`${CHOICE}=`))?.slice(CHOICE.length + 1) ?? "";

/** The institution that is looked at; "" if it must be chosen first. */
export function tenant() {
  const known = caller.value?.tenants ?? [];
  return known.length < 2 ? known[0] ?? "" : known.find((one) => one === kept()) ?? "";
}

/** Whether the caller must choose before anything can be shown. */
export const mustChoose = () => Boolean(caller.value?.tenants.length > 1 && !tenant());

/** Keeps a choice for as long as the browser is open; "" forgets it. */
export function keepTenant(name) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${CHOICE}=${name}; Path=/; SameSite=Lax${secure}${name ? "" : "; Max-Age=0"}`;
}

/** The list of the caller's institutions; nothing for who has one. `onChoice(name)` is called with the new one. */
export function TenantChoice({ onChoice }) {
  const known = caller.value?.tenants ?? [];
  if (known.length < 2) return null;
  return html`<label>${t("tenant")}<select value=${tenant()} onChange=${(e) => onChoice(e.target.value)}>
    ${!tenant() && html`<option value="">–</option>`}
    ${known.map((one) => html`<option value=${one}>${one}</option>`)}</select></label>`;
}

// What is of all units or modules is refused to who has limited ones: each pair of a module and a unit of
// theirs is asked for, and added up here.

// Of more pairs a page would ask for too much: it tells of the first, and says so.
export const PAIRS_MAX = 40;
const SUMMED = ["ghg_scope_1_kg", "ghg_scope_2_kg", "ghg_scope_3_kg", "total_kg", "entries_without_kg"];
// Of somebody who cannot be known now, the services decide.
const UNKNOWN = { all_modules: true, all_units: true };

/** How many pairs of a module and a unit somebody may see. */
export const pairsOf = (who) => (who.all_modules ? 1 : who.modules.length) * (who.all_units ? 1 : who.units.length);

/** The filters {module, unit} with which to ask, one after the other; "" stands for all. */
export async function limits({ module = "", unit = "" } = {}) {
  const who = await whoLooks().catch(() => UNKNOWN);
  const modules = module || who.all_modules ? [module] : who.modules;
  const units = unit || who.all_units ? [unit] : who.units;
  return modules.flatMap((one) => units.map((of) => ({ module: one, unit: of }))).slice(0, PAIRS_MAX);
}

/** The totals of a year that the caller may see, in the form of those of the institution. */
export async function askTotals(year, signal) {
  const pairs = await limits();
  const answers = await Promise.all(pairs.map((pair) => get(`/v1/years/${year}/totals`, pair, { signal })));
  const [first] = answers;
  if (first.institution && answers.length === 1) return first;
  const rows = answers.flatMap((one) => one.module_totals);
  const units = [...new Map(rows.map((row) => [row.unit, row])).values()];
  return {
    module_totals: rows,
    unit_totals: units.map(({ unit, unit_name }) => ({ ...sumOf(rows.filter((row) => row.unit === unit)), unit, unit_name })),
    institution: sumOf(rows),
    freshness: [...new Map(answers.flatMap((one) => one.freshness).map((one) => [one.module, one])).values()],
    years: [...new Set(answers.flatMap((one) => one.years))].sort(),
  };
}

/** The uploads of a year that the caller may see, as `getAll` returns them. */
export async function askUploads(year, wanted, signal, most) {
  const pairs = await limits(wanted);
  const lists = await Promise.all(pairs.map((pair) =>
    getAll(`/v1/years/${year}/uploads`, "uploads", { ...wanted, ...pair }, { signal, most })));
  return { found: lists.flatMap((one) => one.found), more: lists.some((one) => one.more) };
}

const NEWEST = 100;

/** Uploads of a year, with the newest one of each of `modules`, however many others are newer. */
export async function askNewest(year, modules, signal) {
  const newest = await askUploads(year, {}, signal, NEWEST);
  const others = newest.more ? modules.filter((module) => newest.found.every((one) => one.module !== module)) : [];
  const lists = await Promise.all(others.map((module) => askUploads(year, { module, page_size: 1 }, signal, 1)));
  return { found: [newest, ...lists].flatMap((one) => one.found), more: newest.more };
}

function sumOf(rows) {
  return Object.fromEntries(SUMMED.map((name) => [name, rows.reduce((sum, row) => sum + Number(row[name]), 0)]));
}
