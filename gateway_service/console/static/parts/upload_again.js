// An upload once more: a wrong replacement or withdrawal taken back, or its file for another year.
// It is checked first, which says what would be replaced; then the same bytes are submitted.
import { useState } from "preact/hooks";
import { get, post, requestId } from "../api.js";
import { may } from "../caller.js";
import { html } from "../html.js";
import { go } from "../router.js";
import { submitBlob } from "../upload.js";
import { t, tn } from "../words.js";
import { Trouble } from "./asked.js";
import { Confirm } from "./confirm.js";
import { UploadCheck } from "./upload_check.js";

/** What may be done with an upload of ListUploads. */
export function UploadAgain({ one }) {
  const [sent, setSent] = useState(null);
  const [error, setError] = useState(null);
  if (!may("Submit")) return null;
  const counts = one.state === "UPLOAD_STATE_COUNTS";
  const check = (year, mapping = one.mapping) => checked(one, year, mapping).then(
    (answer) => (setError(null), setSent(answer)), setError);
  const copy = (event) => {
    event.preventDefault();
    check(Number(new FormData(event.target).get("year")));
  };
  return html`<section class="again">
    <h2>${t("use_again")}</h2>
    <p class="soft">${t("use_again_help")}</p>
    <div class="acts">
      ${!counts && html`<button type="button" onClick=${() => check(one.year)}>${t("restore")}</button>`}
      ${counts && may("WithdrawUpload") && html`<${Confirm} label=${t("withdraw")} yes=${t("withdraw")}
        question=${t("withdraw_question", { n: one.upload_id, rows: tn("rows_n", one.entry_count) })}
        act=${() => withdraw(one)} />`}
      <form class="line" onSubmit=${copy}><label>${t("for_year")}
        <input name="year" type="number" min="1990" max="2100" required value=${one.year + 1} /></label>
        <button type="submit">${t("check_for_year")}</button></form>
    </div>
    <${Trouble} error=${error} focus />
    ${sent && html`<${UploadCheck} key=${sent.pipeline} sent=${sent} onUploaded=${(id) => go(`/pipelines/${id}`)}
      onMapping=${(mapping) => check(sent.wanted.year, mapping)} />`}
  </section>`;
}

async function checked(one, year, mapping) {
  try {
    await get(`/v1/blobs/${one.blob}`);
  } catch (error) {
    // A file that nothing names is deleted some time after it was last sent.
    if (error.reason !== "BLOB_NOT_FOUND") throw error;
    throw Object.assign(new Error(t("file_gone", { n: one.upload_id })), { status: error.status });
  }
  const { module, data_entry_type: type, unit, source, sheet, blob } = one;
  const wanted = {
    kind: "entries", year, type: { module, data_entry_type: type }, unit, source, sheet, mapping,
    file: { name: one.file_name || `${one.upload_id}.csv` },
  };
  const { pipeline_id: pipeline } = await submitBlob(wanted, blob, { check: true });
  return { pipeline, wanted, blob, check: true };
}

async function withdraw(one) {
  const { module, data_entry_type, year, unit } = one;
  // Who may act for one unit names it; of anybody else's the services only compare it.
  const body = { module, data_entry_type, year, unit, request_id: requestId() };
  const answer = await post(`/v1/uploads/${one.upload_id}:withdraw`, body);
  go(`/pipelines/${answer.pipeline_id}`);
}
