// Retries what the filters of the list let through: first what would happen is counted, then one sentence says what did.
import { useState } from "preact/hooks";
import { getAll, post, requestId } from "../api.js";
import { may } from "../caller.js";
import { html } from "../html.js";
import { t } from "../words.js";
import { Confirm } from "./confirm.js";

const RETRIED = ["FAILED", "PARTIAL", "CANCELLED"];
// One after the other, which is over in seconds. Of more, the newest.
const PIPELINES_MAX = 200;
// What a service says of one pipeline; of anything else the next ones would hear as well.
const OF_ONE = [403, 404, 409];

/** `status` and `filters` are those of the list. What failed stays listed: it is what has been retried. */
export function RetryAll({ status, filters }) {
  const [told, setTold] = useState("");
  if (!RETRIED.includes(status) || !may("RetryPipeline")) return null;
  const preview = async () => {
    setTold("");
    return t("retry_all_would", await retryEach(filters, { validate_only: true }));
  };
  const act = async () => {
    const counts = noneYet();
    // Also if it breaks off: some have been retried.
    await retryEach(filters, {}, counts).finally(() => setTold(t("retry_all_told", counts)));
  };
  return html`<div class="acts"><${Confirm} label=${t("retry_all")} yes=${t("retry_all")} act=${act} preview=${preview}
      question=${t("retry_all_question", { n: PIPELINES_MAX })} /></div>
    <p role="status">${told}</p>`;
}

const noneYet = () => ({ retried: 0, superseded: 0, refused: 0 });

async function retryEach(filters, body, counts = noneYet()) {
  const query = { ...filters, page_size: PIPELINES_MAX };
  const { found } = await getAll("/v1/pipelines", "pipelines", query, { most: PIPELINES_MAX });
  for (const { pipeline_id: id } of found) {
    try {
      await post(`/v1/pipelines/${id}:retry`, { ...body, request_id: requestId() });
      counts.retried += 1;
    } catch (error) {
      if (!OF_ONE.includes(error.status)) throw error;
      counts[error.reason === "SUPERSEDED" ? "superseded" : "refused"] += 1;
    }
  }
  return counts;
}
