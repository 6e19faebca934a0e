// One stream of changes for all tabs of a browser. Browsers open six connections to a host at most,
// so a stream per tab would leave the seventh tab without any answer: one tab is elected to read,
// and tells the others.
import { requestId } from "./api.js";
import { clockSkew, connection, snapshot, take, takeClock, takeConnection } from "./store.js";

const CHANNEL = "carbonline-stream";
// Changes with each login: tabs of two callers never hear each other.
const KEPT_LOGIN = "carbonline-login";
const RETRY_MS = 1000;
const RETRY_MS_MAX = 15000;
// The server says something every ten seconds. A gateway that hangs and a dead link end no connection.
const SILENT_MS_MAX = 25000;

let channel = null;
let stop = () => {};

/** Starts to follow the server's changes. Returns what ends it. */
export function startStream({ address = "/v1/events", onEnd = () => {}, onBuild = () => {} } = {}) {
  const ended = new AbortController();
  stop = () => ended.abort();
  const told = { onEnd, onBuild };
  if (!("locks" in navigator) || !("BroadcastChannel" in globalThis)) {
    read(address, ended.signal, told);
    return stop;
  }
  const name = `${CHANNEL}/${localStorage.getItem(KEPT_LOGIN) ?? ""}`;
  channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => (data.ask ? answerAsk() : apply(data, told));
  // A tab that comes later knows nothing yet, not even whether the stream stands.
  channel.postMessage({ ask: true });
  navigator.locks
    .request(name, { signal: ended.signal }, () => read(address, ended.signal, told))
    .catch(() => {});
  ended.signal.addEventListener("abort", () => channel.close());
  return stop;
}

let isLeader = false;
let hello = null;

// The leader says how the connection stands, and everything that a late tab has missed.
function answerAsk() {
  if (!isLeader) return;
  if (hello) channel.postMessage({ event: "hello", data: { ...hello, server_time: serverTime() } });
  channel.postMessage({ event: "update", data: snapshot() });
  channel.postMessage({ event: "state", data: connection.value.state, since: connection.value.since });
}

function serverTime() {
  return new Date(Date.now() + clockSkew.value).toISOString();
}

// Reads until told to stop, and comes back after every break; the lock is held meanwhile.
function read(address, signal, told) {
  isLeader = true;
  return new Promise((resolve) => {
    let wait = RETRY_MS;
    let source = null;
    let timer = 0;
    let silence = 0;
    const heard = () => {
      const at = Date.now();
      clearTimeout(silence);
      silence = setTimeout(() => comeBack(at), SILENT_MS_MAX);
    };
    const open = () => {
      source = new EventSource(address);
      heard();
      source.onopen = () => {
        wait = RETRY_MS;
      };
      source.addEventListener("alive", heard);
      for (const name of ["hello", "update"]) {
        source.addEventListener(name, ({ data }) => {
          heard();
          share({ event: name, data: JSON.parse(data) }, told);
        });
      }
      source.onerror = async () => {
        comeBack(Date.now());
        if (await sessionIsOver(signal)) share({ event: "end" }, told);
      };
    };
    const close = () => {
      source.close();
      clearTimeout(silence);
      clearTimeout(timer);
    };
    const comeBack = (since) => {
      close();
      share({ event: "state", data: "interrupted", since }, told);
      timer = setTimeout(open, wait + Math.random() * wait);
      wait = Math.min(wait * 2, RETRY_MS_MAX);
    };
    open();
    signal.addEventListener("abort", () => {
      isLeader = false;
      close();
      resolve();
    });
  });
}

/** Ends the streams of all tabs of this browser: somebody has logged out. */
export function endEverywhere() {
  channel?.postMessage({ event: "end" });
}

/** Tells all other tabs that somebody has logged in. */
export function beginEverywhere() {
  localStorage.setItem(KEPT_LOGIN, requestId());
}

/** Calls `action` when somebody has logged in in another tab. */
export function whenBegun(action) {
  addEventListener("storage", ({ key }) => key === KEPT_LOGIN && action());
}

async function sessionIsOver(ended) {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(SILENT_MS_MAX)]);
  try {
    return (await fetch("/v1/me", { credentials: "same-origin", signal })).status === 401;
  } catch {
    return false;
  }
}

function share(message, told) {
  channel?.postMessage(message);
  apply(message, told);
}

function apply({ event, data, since }, told) {
  if (event === "hello") {
    hello = data;
    takeClock(data.server_time);
    takeConnection("live");
    told.onBuild(data.build);
  } else if (event === "update") {
    take(data);
  } else if (event === "state") {
    takeConnection(data, since);
  } else if (event === "end") {
    told.onEnd();
  }
}
