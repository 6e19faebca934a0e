// An upload: what it is, the file, what it would do, its way there, and its steps in place.
import { useState } from "preact/hooks";
import { get, getAll } from "../api.js";
import { may, seesModule } from "../caller.js";
import { bytes, moduleName, typeName } from "../format.js";
import { html } from "../html.js";
import { Limited, Trouble, useAsked, Waiting } from "../parts/asked.js";
import { StatusBadge } from "../parts/badge.js";
import { Confirm } from "../parts/confirm.js";
import { usePipeline } from "../parts/followed.js";
import { StepList } from "../parts/steps.js";
import { UploadCheck } from "../parts/upload_check.js";
import { address, filterBy } from "../router.js";
import { caller } from "../store.js";
import { sendFile, submitBlob, validate } from "../upload.js";
import { t } from "../words.js";

const IDLE = { phase: "idle", sent: 0, size: 0, error: null, pipeline: null, check: false };

export function Page({ year }) {
  const { query } = address.value;
  const kinds = kindsOf(caller.value);
  const kind = kinds.find((one) => one === query.get("kind")) ?? kinds[0];
  const modules = useAsked((signal) => get("/v1/modules", {}, { signal }), []);
  const [state, setState] = useState(IDLE);
  const types = typesOf(modules.value?.modules ?? [], kind);
  const wanted = types.find((one) => one.key === query.get("type"))
    ?? types.find((one) => one.module === query.get("module")) ?? types[0];
  if (state.pipeline && !state.check) return html`<${Running} sent=${state} setState=${setState} />`;
  return html`
    <h1>${t("upload_a_file")}</h1>
    <${Limited} />
    <${Trouble} error=${modules.error} again=${modules.again} />
    <${Waiting} asked=${modules} />
    ${caller.value && !may("Submit") ? html`<p class="notice">${t("may_not_upload")}</p>`
      : modules.value && !wanted ? html`<p>${t("no_types")}</p>`
      : modules.value && html`<${UploadForm} kinds=${kinds} kind=${kind} year=${year} types=${types} type=${wanted}
        largest=${Number(modules.value.file_bytes_max)} state=${state} setState=${setState} />`}
    ${state.check && state.pipeline && html`<${UploadCheck} key=${state.pipeline} sent=${state}
      onUploaded=${(pipeline) => setState({ ...state, check: false, pipeline })}
      onMapping=${(mapping, sheet) => readSo(state, { mapping, sheet }, setState)} />`}
  `;
}

// Factors are those of all units, and units those of the institution.
function kindsOf(who) {
  if (!who || (who.all_modules && who.all_units)) return ["entries", "factors", "units"];
  return who.all_units ? ["entries", "factors"] : ["entries"];
}

// The address names whose place the file takes; what is typed stays when the page is drawn again.
function Unit({ who, unit }) {
  if (!who || who.all_units) {
    return html`<label>${t("only_unit")}<input name="unit" type="text" maxlength="200" defaultValue=${unit} /></label>`;
  }
  return html`<label>${t("unit")}<select name="unit">${who.units.map((one) => html`
    <option selected=${one === unit}>${one}</option>`)}</select></label>`;
}

// Types that are computed; and modules whose files may hold several, told apart by a column.
function typesOf(modules, kind) {
  return modules.filter((one) => seesModule(one.module)).flatMap((one) => [
    ...one.data_entry_types.filter((type) => type.supported)
      .map((type) => ({ ...type, key: type.data_entry_type, module: one.module })),
    ...(kind === "entries" && one.routing_column
      ? [{ key: one.module, module: one.module, routing_column: one.routing_column }] : []),
  ]);
}

const nameOf = (type) =>
  `${moduleName(type.module)}: ${type.routing_column ? t("several_types") : typeName(type.data_entry_type)}`;

function UploadForm({ kinds, kind, year, types, type, largest, state, setState }) {
  const busy = state.phase === "sending" || state.phase === "submitting";
  const isMapped = kind === "entries" && !type.routing_column;
  const ofKind = { data_entry_type: type.data_entry_type, file_kind: "entries" };
  const saved = useAsked(async (signal) => (isMapped
    ? (await getAll("/v1/mappings", "mappings", ofKind, { signal })).found : []), [kind, type?.key]);
  const mappings = saved.value ?? [];
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const mapping = mappings.find((one) => one.name === form.get("mapping"))?.mapping;
    upload({ kind, year, type, mapping, unit: form.get("unit"), source: form.get("source"), file: form.get("file") },
      largest, event.submitter?.value === "check", setState);
  };
  // What was found is of the file as it was chosen then.
  const changed = () => state.check && !busy && setState(IDLE);
  return html`<form class="sheet upload" onSubmit=${submit} onInput=${changed}>
    <label>${t("kind")}<select name="kind" value=${kind} onChange=${(e) => filterBy("kind", e.target.value)}>
      ${kinds.map((one) => html`<option value=${one}>${t(`upload_kind.${one}`)}</option>`)}
    </select></label>
    ${kind !== "units" && html`<label>${t("type")}
      <select name="type" value=${type.key} onChange=${(e) => filterBy("type", e.target.value)}>
        ${types.map((one) => html`<option value=${one.key}>${nameOf(one)}</option>`)}
      </select></label>`}
    <label>${t("year")}<input name="year" type="number" min="1990" max="2100" required value=${year}
      onChange=${(e) => filterBy("year", e.target.value)} /></label>
    ${kind === "entries" && html`
      <${Unit} who=${caller.value} unit=${address.value.query.get("unit") ?? ""} />
      <label>${t("source")}<input name="source" type="text" maxlength="200"
        defaultValue=${address.value.query.get("source") ?? ""} /></label>`}
    ${isMapped && mappings.length > 0 && html`<label>${t("mapping")}<select name="mapping">
        <option value="">${t("no_mapping")}</option>
        ${mappings.map((one) => html`<option value=${one.name}>${one.name}</option>`)}</select></label>
      <p class="soft"><a href="/mappings">${t("page.mappings")}</a></p>`}
    <${Trouble} error=${saved.error} again=${saved.again} />
    <label>${t("file")}<input name="file" type="file" required /></label>
    ${largest > 0 && html`<p class="soft">${t("largest_file", { size: bytes(largest) })}</p>`}
    <${Trouble} error=${state.error} focus />
    ${busy && html`<p role="status">${t(`phase.${state.phase}`)}
      <progress aria-label=${t("phase.sending")} max=${state.size || 1} value=${state.sent}></progress>
      ${bytes(state.sent)} / ${bytes(state.size)}
      <button type="button" onClick=${() => state.abort?.()}>${t("give_up")}</button></p>`}
    <${Buttons} busy=${busy} />
    ${kind !== "units" && (type.routing_column ? html`<p class="soft">${t("several_help", { column: type.routing_column })}</p>`
      : html`<${Columns} type=${type} kind=${kind} open=${!state.check} />`)}
  </form>`;
}

// The check comes first: Enter in a field presses the first button of a form.
function Buttons({ busy }) {
  return html`<p class="soft">${t("check_help")}</p>
    <p class="acts"><button type="submit" value="check" disabled=${busy}>${t("check_first")}</button>
      <button type="submit" value="upload" class="main" disabled=${busy}>${t("upload_and_compute")}</button></p>`;
}

async function upload(wanted, largest, check, setState) {
  if (largest && wanted.file.size > largest) {
    const detail = t("too_large", { size: bytes(wanted.file.size), most: bytes(largest) });
    return setState({ ...IDLE, error: Object.assign(new Error(detail), { status: 413, violations: [] }) });
  }
  try {
    const size = wanted.file.size;
    setState({ ...IDLE, phase: "submitting", size });
    await validate(wanted, { check });
    const sending = sendFile(wanted, (sent) => setState((old) => ({ ...old, sent })));
    setState({ ...IDLE, phase: "sending", size, abort: sending.abort });
    const { blob } = await sending.done;
    setState({ ...IDLE, phase: "submitting", sent: size, size });
    const answer = await submitBlob(wanted, blob, { check });
    return setState({ ...IDLE, check, pipeline: answer.pipeline_id, wanted, blob });
  } catch (error) {
    return setState({ ...IDLE, error: error.name === "AbortError" ? broken() : error });
  }
}

// The same bytes, read as a check has proposed.
async function readSo({ wanted, blob }, proposed, setState) {
  const mapped = { ...wanted, ...proposed, isProposed: true };
  try {
    const answer = await submitBlob(mapped, blob, { check: true });
    setState({ ...IDLE, check: true, pipeline: answer.pipeline_id, wanted: mapped, blob });
  } catch (error) {
    setState({ ...IDLE, error });
  }
}

const broken = () => Object.assign(new Error(t("nothing_kept")), { status: 499, violations: [] });

function Columns({ type, kind, open }) {
  const name = typeName(type.data_entry_type);
  const ofFactors = kind === "factors";
  const columns = ofFactors ? type.factor_columns : type.columns;
  const template = ofFactors ? type.factor_template_csv : type.template_csv;
  const file = `data:text/csv;charset=utf-8,${encodeURIComponent(template ?? "")}`;
  return html`<details open=${open}><summary>${t("columns_of", { name })}</summary>
    <p><a href=${file} download=${`${name.toLowerCase().replaceAll(" ", "_")}.csv`}>${t("template")}</a></p>
    <dl class="columns">${columns.map((column) => html`<div key=${column.name}>
      <dt><code>${column.name}</code></dt>
      <dd>${column.required && html`<strong>${t("required")}</strong>; `}<span lang="en">${column.rule}</span></dd></div>`)}</dl>
  </details>`;
}

// Why a worker refuses to change much, until the person consents.
const NEEDS_CONSENT = ["most_would_go", "kilograms_would_double", "mended_rows_replace", "factors_in_use",
  "places_in_use"];

function Running({ sent, setState }) {
  const id = sent.pipeline;
  const { row, jobs, asked } = usePipeline(id);
  const refused = jobs.find((job) => NEEDS_CONSENT.includes(job.error_cause));
  const consent = async () => {
    const answer = await submitBlob(sent.wanted, sent.blob, { consent: true });
    setState({ ...sent, pipeline: answer.pipeline_id });
  };
  return html`
    <h1>${t("pipeline_n", { n: id })} ${row && html`<${StatusBadge} row=${row} />`}</h1>
    <p>${t("runs_on")} <a href=${`/pipelines/${id}`}>${t("open")}</a></p>
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${StepList} jobs=${jobs} />
    ${refused && html`<${Confirm} label=${t("do_it_anyway")} question=${html`<span lang="en">${refused.message}</span>`}
      yes=${t("do_it_anyway")} act=${consent} />`}
    <p class="acts"><button type="button" onClick=${() => setState(IDLE)}>${t("upload_another")}</button>
      ${row && html`<a href=${`/years/${row.scope.year}`}>${row.scope.year}</a>`}</p>
  `;
}
