// An upload: what it is, the file, its way there, and its steps in place.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.js";
import { bytes, moduleName, typeName } from "../format.js";
import { html } from "../html.js";
import { Trouble, useAsked } from "../parts/asked.js";
import { StatusBadge } from "../parts/badge.js";
import { Confirm } from "../parts/confirm.js";
import { StepList } from "../parts/steps.js";
import { address, filterBy } from "../router.js";
import { jobsOf, pipelines, take } from "../store.js";
import { sendFile, submitBlob, validate } from "../upload.js";
import { t } from "../words.js";

const IDLE = { phase: "idle", sent: 0, size: 0, error: null, pipeline: null };

export function Page({ year }) {
  const { query } = address.value;
  const kind = query.get("kind") ?? "entries";
  const modules = useAsked((signal) => get("/v1/modules", {}, { signal }), []);
  const [state, setState] = useState(IDLE);
  const types = (modules.value?.modules ?? []).flatMap((one) =>
    one.data_entry_types.filter((type) => type.supported).map((type) => ({ ...type, module: one.module })));
  const wanted = types.find((one) => one.data_entry_type === query.get("type"))
    ?? types.find((one) => one.module === query.get("module")) ?? types[0];
  if (state.pipeline) return html`<${Running} sent=${state} setState=${setState} />`;
  return html`
    <h1>${t("upload_a_file")}</h1>
    <${Trouble} error=${modules.error} again=${modules.again} />
    ${modules.value && html`<${UploadForm} kind=${kind} year=${year} types=${types} type=${wanted}
      largest=${Number(modules.value.file_bytes_max)} state=${state} setState=${setState} />`}
  `;
}

function UploadForm({ kind, year, types, type, largest, state, setState }) {
  const busy = state.phase === "sending" || state.phase === "submitting";
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    upload({ kind, year, type, unit: form.get("unit"), source: form.get("source"), file: form.get("file") },
      largest, setState);
  };
  const columns = kind === "factors" ? type?.factor_columns : type?.columns;
  const template = kind === "factors" ? type?.factor_template_csv : type?.template_csv;
  return html`<form class="sheet upload" onSubmit=${submit}>
    <label>${t("kind")}<select name="kind" value=${kind} onChange=${(e) => filterBy("kind", e.target.value)}>
      ${["entries", "factors", "units"].map((one) => html`<option value=${one}>${t(`upload_kind.${one}`)}</option>`)}
    </select></label>
    ${kind !== "units" && html`<label>${t("type")}
      <select name="type" value=${type?.data_entry_type} onChange=${(e) => filterBy("type", e.target.value)}>
        ${types.map((one) => html`<option value=${one.data_entry_type}>
          ${moduleName(one.module)}: ${typeName(one.data_entry_type)}</option>`)}
      </select></label>`}
    <label>${t("year")}<input name="year" type="number" min="1990" max="2100" required value=${year}
      onChange=${(e) => filterBy("year", e.target.value)} /></label>
    ${kind === "entries" && html`
      <label>${t("only_unit")}<input name="unit" type="text" maxlength="200" /></label>
      <label>${t("source")}<input name="source" type="text" maxlength="200" /></label>`}
    <label>${t("file")}<input name="file" type="file" required /></label>
    ${largest > 0 && html`<p class="soft">${t("largest_file", { size: bytes(largest) })}</p>`}
    <${Trouble} error=${state.error} focus />
    ${busy && html`<p role="status">${t(`phase.${state.phase}`)}
      <progress aria-label=${t("phase.sending")} max=${state.size || 1} value=${state.sent}></progress>
      ${bytes(state.sent)} / ${bytes(state.size)}
      <button type="button" onClick=${() => state.abort?.()}>${t("give_up")}</button></p>`}
    <p><button type="submit" class="main" disabled=${busy}>${t("upload_and_compute")}</button></p>
    ${kind !== "units" && columns && html`<${Columns} columns=${columns} template=${template}
      name=${typeName(type.data_entry_type)} />`}
  </form>`;
}

async function upload(wanted, largest, setState) {
  if (largest && wanted.file.size > largest) {
    const detail = t("too_large", { size: bytes(wanted.file.size), most: bytes(largest) });
    return setState({ ...IDLE, error: Object.assign(new Error(detail), { status: 413, violations: [] }) });
  }
  try {
    const size = wanted.file.size;
    setState({ ...IDLE, phase: "submitting", size });
    await validate(wanted);
    const sending = sendFile(wanted, (sent) => setState((old) => ({ ...old, sent })));
    setState({ ...IDLE, phase: "sending", size, abort: sending.abort });
    const { blob } = await sending.done;
    setState({ ...IDLE, phase: "submitting", sent: size, size });
    const answer = await submitBlob(wanted, blob);
    return setState({ ...IDLE, pipeline: answer.pipeline_id, wanted, blob });
  } catch (error) {
    return setState({ ...IDLE, error: error.name === "AbortError" ? broken() : error });
  }
}

const broken = () => Object.assign(new Error(t("nothing_kept")), { status: 499, violations: [] });

function Columns({ columns, template, name }) {
  const file = `data:text/csv;charset=utf-8,${encodeURIComponent(template ?? "")}`;
  return html`<details open><summary>${t("columns_of", { name })}</summary>
    <p><a href=${file} download=${`${name.toLowerCase().replaceAll(" ", "_")}.csv`}>${t("template")}</a></p>
    <dl class="columns">${columns.map((column) => html`<div key=${column.name}>
      <dt><code>${column.name}</code></dt>
      <dd>${column.required && html`<strong>${t("required")}</strong>; `}${column.rule}</dd></div>`)}</dl>
  </details>`;
}

// Why a worker refuses to change much, until the person consents.
const NEEDS_CONSENT = ["most_would_go", "kilograms_would_double", "mended_rows_replace", "factors_in_use",
  "places_in_use"];

function Running({ sent, setState }) {
  const id = sent.pipeline;
  const row = pipelines.value.get(id);
  const asked = useAsked((signal) => get(`/v1/pipelines/${id}`, {}, { signal }), [id, row?.version]);
  useEffect(() => {
    if (asked.value) take({ pipelines: [asked.value.pipeline], jobs: asked.value.jobs });
  }, [asked.value]);
  const steps = jobsOf(id);
  const refused = steps.find((job) => NEEDS_CONSENT.includes(job.error_cause));
  const consent = async () => {
    const answer = await submitBlob(sent.wanted, sent.blob, { consent: true });
    setState({ ...sent, pipeline: answer.pipeline_id });
  };
  return html`
    <h1>${t("pipeline_n", { n: id })} ${row && html`<${StatusBadge} row=${row} />`}</h1>
    <p>${t("runs_on")} <a href=${`/pipelines/${id}`}>${t("open")}</a></p>
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${StepList} jobs=${steps} />
    ${refused && html`<${Confirm} label=${t("do_it_anyway")} question=${refused.message}
      yes=${t("do_it_anyway")} act=${consent} />`}
    <p class="acts"><button type="button" onClick=${() => setState(IDLE)}>${t("upload_another")}</button>
      ${row && html`<a href=${`/years/${row.scope.year}`}>${row.scope.year}</a>`}</p>
  `;
}
