// Sends a file as it is, and submits the job that reads it.
import { ApiError, post, requestId, taken, UNREACHABLE } from "./api.js";

const JOBS = { entries: "csv_ingest", factors: "factor_ingest", units: "unit_sync" };

/** Starts to send; {done, abort}: done is {blob}. fetch tells no progress of an upload. */
export function sendFile({ kind, year, type, file }, onSent) {
  const request = new XMLHttpRequest();
  const query = new URLSearchParams({ year, file_name: file.name });
  if (kind !== "units") query.set("module", type.module);
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = () => {
      try {
        resolve(taken(request.status, request.status < 300, request.responseText));
      } catch (error) {
        reject(error);
      }
    };
    request.onerror = () => reject(new ApiError(UNREACHABLE, {}));
    request.onabort = () => reject(new DOMException("", "AbortError"));
  });
  request.open("POST", `/v1/blobs?${query}`);
  request.setRequestHeader("content-type", file.type || "application/octet-stream");
  request.send(file);
  return { done, abort: () => request.abort() };
}

// Stands for the file while the rest of the request is validated, before a byte is sent.
const NO_BLOB = `blob:sha256:${"0".repeat(64)}`;
const CONSENT = { take_away: "yes" };

/** Asks whether the job would be taken, as for a year that is not locked; throws what is wrong. */
export function validate(wanted) {
  return post("/v1/pipelines", { ...jobOf(wanted, NO_BLOB), request_id: requestId(), validate_only: true });
}

/**
 * Submits the job that reads a blob; the answer has the pipeline's id. `consent` lets it take away
 * what an earlier try was refused for.
 */
export function submitBlob(wanted, blob, { consent = false } = {}) {
  const job = jobOf(wanted, blob);
  if (consent) Object.assign(job.payload, CONSENT);
  return post("/v1/pipelines", { ...job, request_id: requestId() });
}

function jobOf({ kind, year, type, unit, source, file }, blob) {
  const scope = { year: Number(year) };
  if (kind !== "units") Object.assign(scope, { module: type.module, data_entry_type: type.data_entry_type });
  if (unit) scope.unit = unit;
  const payload = { blob, file_name: file.name };
  if (source) payload.source = source;
  return { job_type: JOBS[kind], scope, payload };
}
