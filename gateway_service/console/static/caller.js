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

/** Asks for what is the caller's, where the services would refuse what is of all modules and units. */
export const OWN = { leave_out_others: true };

/** The totals of a year that the caller may see. */
export const askTotals = (year, signal) => get(`/v1/years/${year}/totals`, OWN, { signal });

/** The uploads of a year that the caller may see, as `getAll` returns them. */
export const askUploads = (year, wanted, signal, most) =>
  getAll(`/v1/years/${year}/uploads`, "uploads", { ...wanted, ...OWN }, { signal, most });

const NEWEST = 100;

/** Uploads of a year, with the newest one of each of `modules`, however many others are newer. */
export async function askNewest(year, modules, signal) {
  const newest = await askUploads(year, {}, signal, NEWEST);
  const others = newest.more ? modules.filter((module) => newest.found.every((one) => one.module !== module)) : [];
  const lists = await Promise.all(others.map((module) => askUploads(year, { module, page_size: 1 }, signal, 1)));
  return { found: [newest, ...lists].flatMap((one) => one.found), more: newest.more };
}
