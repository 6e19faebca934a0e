// What a check of a file of several types has found: the rows of no type, then each type's own check.
import { count, typeName } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";
import { CheckReport, Findings, isReported, verdictOf } from "./check_report.js";
import { StepList } from "./steps.js";

/** Of the jobs of a routed_check, those of the types; the first has divided the file. */
export const checksOf = (jobs) => jobs.filter((job) => job.job_type === "csv_check");

/** Whether any type's rows would count if the file was uploaded. */
export const isTaken = (jobs) => checksOf(jobs).some((job) => isReported(job) && verdictOf(job) !== "refused");

/** Why the upload of a type would be refused without consent; "" if none would. */
export const causeOf = (jobs) => checksOf(jobs).find((job) => job.stats?.needs_consent)?.stats.needs_consent ?? "";

/** `jobs` are those of the pipeline, which has ended. */
export function SeveralTypesReport({ jobs }) {
  const [divided] = jobs;
  const { stats = {} } = divided;
  const said = [
    [t("rows_of_file"), count(stats.rows)],
    [t("have_a_type"), count(stats.rows_routed)],
    [t("have_no_type"), count(stats.rows_rejected)],
  ];
  return html`<table class="narrow">
      <caption>${t("check_caption")}</caption>
      <tbody>${said.map(([name, value]) => html`<tr key=${name}><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody>
    </table>
    <${Findings} stats=${stats} of=${t("of_file")} />
    ${checksOf(jobs).map((job) => html`<section key=${job.job_id} class="of-type">
      <h3>${typeName(job.scope.data_entry_type)}</h3>
      ${isReported(job) ? html`<${CheckReport} job=${job} of=${typeName(job.scope.data_entry_type)} />`
        : html`<${StepList} jobs=${[job]} />`}</section>`)}`;
}
