// Sends a file as it is, and submits the job that reads it, or the one that only checks it.
import { ApiError, NO_ANSWER, post, requestId, taken, UNREACHABLE } from "./api.js";

const JOBS = { entries: "csv_ingest", several: "routed_ingest", factors: "factor_ingest", units: "unit_sync" };
// What says what such a job would do.
const CHECKS = {
  entries: "csv_check", several: "routed_check", factors: "factor_check", units: "unit_check",
};

// Which job a file is for: its kind, or "several" for entries whose rows say their types.
const jobKind = ({ kind, type }) => (kind === "entries" && type?.routing_column ? "several" : kind);

// A file takes as long as its line is slow: a minute is given up in which no byte goes. Once all have gone, a proxy
// may have to pass them on, of which nothing is heard.
const SILENT_MS_MAX = 60_000;
const PASSED_ON_MS_MAX = 600_000;

/** Starts to send; {done, abort}: done is {blob}. fetch tells no progress of an upload. */
export function sendFile({ kind, year, type, file }, onSent) {
  const request = new XMLHttpRequest();
  const query = new URLSearchParams({ year, file_name: file.name });
  if (kind !== "units") query.set("module", type.module);
  let silence = 0;
  let isLate = false;
  const wait = (milliseconds) => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      isLate = true;
      request.abort();
    }, milliseconds);
  };
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => {
      wait(SILENT_MS_MAX);
      onSent(event.loaded);
    };
    request.upload.onload = () => wait(PASSED_ON_MS_MAX);
    request.onloadend = () => clearTimeout(silence);
    request.onload = () => {
      try {
        resolve(taken(request.status, request.status < 300, request.responseText));
      } catch (error) {
        reject(error);
      }
    };
    request.onerror = () => reject(new ApiError(UNREACHABLE, {}));
    request.onabort = () => reject(isLate ? new ApiError(UNREACHABLE, { reason: NO_ANSWER })
      : new DOMException("", "AbortError"));
  });
  request.open("POST", `/v1/blobs?${query}`);
  request.setRequestHeader("content-type", file.type || "application/octet-stream");
  wait(SILENT_MS_MAX);
  request.send(file);
  return { done, abort: () => request.abort() };
}

// Stands for the file while the rest of the request is validated, before a byte is sent.
const NO_BLOB = `blob:sha256:${"0".repeat(64)}`;
const CONSENT = { take_away: "yes" };

/** Asks whether the job would be taken, as for a year that is not locked; throws what is wrong. */
export function validate(wanted, options) {
  return post("/v1/pipelines", { ...jobOf(wanted, NO_BLOB, options), request_id: requestId(), validate_only: true });
}

/**
 * Submits the job that reads a blob; the answer has the pipeline's id. `check` has it say what it
 * would do, and nothing written. `consent` lets it take away what it would be refused for.
 */
export function submitBlob(wanted, blob, options) {
  return post("/v1/pipelines", { ...jobOf(wanted, blob, options), request_id: requestId() });
}

function jobOf(wanted, blob, { check = false, consent = false } = {}) {
  const { kind, year, type, unit, source, sheet, mapping, file } = wanted;
  const scope = { year: Number(year) };
  if (kind !== "units") scope.module = type.module;
  if (type?.data_entry_type && kind !== "units") scope.data_entry_type = type.data_entry_type;
  if (unit) scope.unit = unit;
  const payload = { blob, file_name: file.name };
  if (source) payload.source = source;
  if (sheet) payload.sheet = sheet;
  if (mapping) payload.mapping = mapping;
  if (consent) Object.assign(payload, CONSENT);
  return { job_type: (check ? CHECKS : JOBS)[jobKind(wanted)], scope, payload };
}
