// Who looks at the console: what they may do, and when their login ends. The services decide; a
// button that they would refuse is not drawn.
import { get } from "./api.js";
import { caller } from "./store.js";

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
