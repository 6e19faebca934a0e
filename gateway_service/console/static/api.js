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

/** No answer at all: the network, a gateway that is down, or one that hangs. */
export const UNREACHABLE = 0;
/** The reason of a call that was given up, and of one that acts: it may have been done all the same. */
export const NO_ANSWER = "NO_ANSWER";
const NO_ANSWER_TO_ACT = "NO_ANSWER_TO_ACT";

// The gateway waits for a service half as long. A slow line may take longer for a long answer: silence is bounded.
const SILENT_MS_MAX = 60_000;

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

function ask(path, options) {
  return listen(path, options, async (answer, hear) => {
    const { text } = await textOf(answer, hear);
    return taken(answer.status, answer.ok, text);
  });
}

/** What `read(answer, hear)` makes of the answer at an address; given up a minute after it last called `hear`. */
export async function listen(path, { signal, ...options }, read) {
  const late = new AbortController();
  let timer = 0;
  const hear = () => {
    clearTimeout(timer);
    timer = setTimeout(() => late.abort(), SILENT_MS_MAX);
  };
  const ended = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
  hear();
  try {
    return await read(await fetch(path, { credentials: "same-origin", ...options, signal: ended }), hear);
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted) throw error;
    const silent = options.method ? NO_ANSWER_TO_ACT : NO_ANSWER;
    throw new ApiError(UNREACHABLE, { reason: late.signal.aborted ? silent : "GATEWAY_UNREACHABLE" });
  } finally {
    clearTimeout(timer);
  }
}

/** The text of an answer, piece by piece; if it has more than `most` characters, its beginning. */
export async function textOf(answer, hear, most = Infinity) {
  if (!answer.body) return { text: "", whole: true };
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text, whole: true };
    hear();
    text += value;
    if (text.length > most) {
      await reader.cancel();
      return { text, whole: false };
    }
  }
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
