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

/** Whether one of the caller's roles may call an RPC of the table; false until they are known. */
export function may(rpc) {
  return Boolean(caller.value?.roles.some((role) => ROLES[rpc].includes(role)));
}

const RETRY_MS = 3000;
const UNAUTHENTICATED = 401;

/** Asks who the caller is, and asks again until there is an answer: without one, no act is offered. */
export async function learnCaller() {
  try {
    caller.value = await get("/v1/me");
  } catch (error) {
    if (error.status !== UNAUTHENTICATED) setTimeout(() => caller.value ?? learnCaller(), RETRY_MS);
  }
}
