// Calls of the gateway. Every error is the sentence of the service that refused.

/** What the gateway or a service refused, with its reason and all fields that are wrong. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The server answered ${status}.`);
    this.status = status;
    this.reason = problem.reason ?? "";
    this.violations = problem.violations ?? [];
  }
}

/** No answer at all: the network, or a gateway that is down. */
export const UNREACHABLE = 0;

let onUnauthenticated = () => {};

/** Calls `action` when a session has ended. */
export function whenUnauthenticated(action) {
  onUnauthenticated = action;
}

/** The JSON at an address; `query` may hold lists, and leaves out what is empty. */
export function get(path, query = {}, { signal } = {}) {
  return ask(path + queryOf(query), { signal });
}

/**
 * All pages of a list, as one list `found` of the field `name`; at most `most` entries. `more` says
 * that there are others: show it. `answer` is the last page.
 */
export async function getAll(path, name, query = {}, { signal, most = 2000 } = {}) {
  const found = [];
  let answer = { next_page_token: "" };
  do {
    answer = await get(path, { ...query, page_token: answer.next_page_token }, { signal });
    found.push(...answer[name]);
  } while (answer.next_page_token && found.length < most);
  return { found: found.slice(0, most), more: Boolean(answer.next_page_token) || found.length > most, answer };
}

/** Posts JSON, and returns the answer. */
export function post(path, body = {}, { method = "POST" } = {}) {
  return ask(path, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** A request id, which is a UUID: a request that is sent twice is then one. */
export function requestId() {
  // crypto.randomUUID is missing where the page came over plain http from another machine.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]].map(([from, to]) => hex.slice(from, to)).join("-");
}

function queryOf(query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== "" && one !== undefined && one !== null) parameters.append(name, one);
    }
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(UNREACHABLE, { detail: "", reason: "GATEWAY_UNREACHABLE" });
  }
  return taken(answer.status, answer.ok, await answer.text());
}

/** An answer's JSON, or its problem as an ApiError. */
export function taken(status, ok, text) {
  let value = {};
  try {
    value = text ? JSON.parse(text) : {};
  } catch {
    throw new ApiError(status, { detail: `The server answered ${status} without JSON.` });
  }
  if (ok) return value;
  if (status === 401) onUnauthenticated();
  throw new ApiError(status, value);
}
