// The check of a file before its upload: how far it is, what it found, and the upload that follows.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { isLive } from "../store.js";
import { submitBlob } from "../upload.js";
import { t } from "../words.js";
import { Trouble } from "./asked.js";
import { CheckReport, isReported, verdictOf } from "./check_report.js";
import { Confirm } from "./confirm.js";
import { usePipeline } from "./followed.js";
import { MappingTable } from "./mapping_table.js";
import { SaveMapping } from "./save_mapping.js";
import { causeOf, checksOf, isTaken, SeveralTypesReport } from "./several_types_report.js";
import { StepList } from "./steps.js";

/** `onUploaded(pipeline)` is called with the upload, `onMapping(mapping, sheet)` to check it read so. */
export function UploadCheck({ sent, onUploaded, onMapping }) {
  const { row, jobs, asked } = usePipeline(sent.pipeline);
  const [job] = jobs;
  const { type, mapping, isProposed } = sent.wanted;
  const heading = useRef(null);
  const ended = row && !isLive(row) && job?.state === "JOB_STATE_FINISHED";
  const several = ended && checksOf(jobs).length > 0 && job.job_type === "routed_check";
  // Who has asked hears at once what was found.
  useEffect(() => {
    if (ended) heading.current?.focus();
  }, [ended]);
  return html`<section class="check-result" aria-busy=${!ended && !asked.error}>
    <h2 tabindex="-1" ref=${heading}>${t("check_of", { file: sent.wanted.file.name })}</h2>
    <${Trouble} error=${asked.error} again=${asked.again} />
    ${several ? html`<${SeveralTypesReport} jobs=${jobs} />`
      : isReported(job) && job.job_type !== "routed_check" ? html`<${CheckReport} job=${job} />`
      : html`<${StepList} jobs=${jobs} />`}
    ${ended && html`<${Proposal} stats=${job.stats ?? {}} type=${type} onMapping=${onMapping} />`}
    ${ended && isProposed && mapping && !job.stats?.proposed_mapping && html`
      <${SaveMapping} mapping=${mapping} type=${type.data_entry_type} />`}
    ${ended && (several ? isTaken(jobs) : isReported(job) && verdictOf(job) !== "refused") && html`
      <${UploadIt} sent=${sent} cause=${several ? causeOf(jobs) : job.stats.needs_consent} onUploaded=${onUploaded} />`}
  </section>`;
}

// The file that was checked is there already: what is submitted is the same bytes.
function UploadIt({ sent, cause, onUploaded }) {
  const [error, setError] = useState(null);
  const submit = async (consent) => {
    const answer = await submitBlob(sent.wanted, sent.blob, { consent });
    onUploaded(answer.pipeline_id);
  };
  if (cause) {
    return html`<${Confirm} label=${t("upload_it_anyway")} yes=${t("upload_it_anyway")}
      question=${t(`consent.${cause}`)} act=${() => submit(true)} />`;
  }
  return html`<${Trouble} error=${error} focus />
    <p><button type="button" class="main" onClick=${() => submit(false).catch(setError)}>${t("upload_it")}</button></p>`;
}

function Proposal({ stats, type, onMapping }) {
  const { proposed_mapping: mapping = {}, proposed_sheet: sheet, left_open: open = [] } = stats;
  const isMapped = Object.keys(mapping).length > 0;
  return html`${(isMapped || sheet) && html`
      <${MappingTable} mapping=${mapping} sheet=${sheet} caption=${t("may_be_read_so")} />`}
    ${open.length > 0 && html`<p>${t("left_open")}</p>
      <ul lang="en">${open.map((said) => html`<li>${said}</li>`)}</ul>`}
    ${(isMapped || sheet) && html`<p><button type="button" onClick=${() => onMapping(isMapped ? mapping : undefined, sheet)}>
      ${t("check_again_read_so")}</button></p>`}
    ${isMapped && type?.data_entry_type && html`<${SaveMapping} mapping=${mapping} type=${type.data_entry_type} />`}`;
}
