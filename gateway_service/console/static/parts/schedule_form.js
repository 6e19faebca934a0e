// A new schedule: what is read from which provider, or which job runs, and when.
import { useState } from "preact/hooks";
import { get, post } from "../api.js";
import { kindName, moduleName, time, typeName, zone } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";
import { Trouble, useAsked, Waiting } from "./asked.js";

const CLOSED = { open: false, error: null, said: "" };

/** `again()` asks for the list of schedules. A check says when it would tick, and writes nothing. */
export function NewSchedule({ again }) {
  const [state, setState] = useState(CLOSED);
  const submit = async (event) => {
    event.preventDefault();
    const check = event.submitter?.value === "check";
    const request = { ...requestOf(new FormData(event.target)), validate_only: check };
    try {
      const { next_ticks: ticks } = await post("/v1/schedules", request);
      const at = ticks.map(time).join("; ");
      const said = t(check ? "would_tick" : "schedule_made", { name: request.name, at, zone: zone() });
      setState({ open: check, error: null, said });
      if (!check) again();
    } catch (error) {
      setState({ open: true, error, said: "" });
    }
  };
  return html`<p role="status">${state.said}</p>
    ${state.open ? html`<${Form} state=${state} submit=${submit} close=${() => setState(CLOSED)} />`
      : html`<p><button type="button" onClick=${() => setState({ ...CLOSED, open: true })}>${t("new_schedule")}</button></p>`}`;
}

// What stands in the list by its rows: units, and activity data of each type.
const FETCHES = new Set(["unit_sync", "api_ingest"]);
// Of the other types, those that a deployment declares among them, the value begins with this mark.
const JOB = "job:";
const jobTypeOf = (what) => (what.startsWith(JOB) ? what.slice(JOB.length) : "");

function Form({ state, submit, close }) {
  const modules = useAsked((signal) => get("/v1/modules", {}, { signal }), []);
  const jobs = useAsked((signal) => get("/v1/job-types", {}, { signal }), []);
  const [what, setWhat] = useState("");
  const types = (modules.value?.modules ?? []).flatMap((one) => one.data_entry_types.filter((type) => type.supported)
    .map((type) => [`${one.module} ${type.data_entry_type}`, `${moduleName(one.module)}: ${typeName(type.data_entry_type)}`]));
  const others = (jobs.value?.job_types ?? []).filter((one) =>
    one.enabled && one.may_be_scheduled && !one.any_payload && !FETCHES.has(one.job_type));
  const other = others.find((one) => one.job_type === jobTypeOf(what));
  return html`<form class="sheet upload" onSubmit=${submit} onKeyDown=${(event) => event.key === "Escape" && close()}>
    ${[modules, jobs].map((one) => html`<${Trouble} error=${one.error} again=${one.again} /><${Waiting} asked=${one} />`)}
    <label>${t("schedule_name")}<input name="name" type="text" maxlength="64" required autocomplete="off" /></label>
    <label>${t("what")}<select name="what" value=${what} onChange=${(event) => setWhat(event.target.value)}>
      <option value="">${t("upload_kind.units")}</option>
      ${types.map(([value, name]) => html`<option value=${value}>${name}</option>`)}
      ${others.length > 0 && html`<optgroup label=${t("other_jobs")}>
        ${others.map(({ job_type: name }) => html`<option value=${JOB + name}>${kindName(name)}</option>`)}
      </optgroup>`}</select></label>
    ${other ? html`<${OfJob} key=${other.job_type} job=${other} modules=${modules.value?.modules ?? []} types=${types} />`
      : html`<label>${t("provider")}<input name="provider" type="text" maxlength="200" required /></label>`}
    <label>${t("cron_help")}<input name="cron" type="text" maxlength="200" required placeholder="15 2 * * *" /></label>
    <label>${t("time_zone")}<input name="time_zone" type="text" maxlength="64" value=${browserZone()} /></label>
    <label>${t("year_of_schedule")}<input name="year" type="number" min="1990" max="2100" /></label>
    <${Trouble} error=${state.error} focus />
    <p class="acts"><button type="button" onClick=${close}>${t("leave_it")}</button>
      <button type="submit" value="check">${t("check_first")}</button>
      <button type="submit" value="make" class="main">${t("make_schedule")}</button></p>
  </form>`;
}

// The parts of the scope that a job type needs or takes, and the keys of its payload.
function OfJob({ job, modules, types }) {
  const takes = (part) => job.scope_parts.includes(part) || job.optional_scope_parts.includes(part);
  const list = (part, options) => html`<select name=${part} required=${job.scope_parts.includes(part)}>
    <option value=""></option>${options.map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select>`;
  return html`
    ${takes("data_entry_type") ? html`<label>${t("type")}${list("data_entry_type", types)}</label>`
      : takes("module") && html`<label>${t("module")}
        ${list("module", modules.map(({ module }) => [module, moduleName(module)]))}</label>`}
    ${takes("unit") && html`<label>${t("unit")}
      <input name="unit" type="text" maxlength="200" required=${job.scope_parts.includes("unit")} /></label>`}
    ${job.payload_keys.map((key) => html`<label><span lang="en">${key.name}: ${key.meaning}</span>
      ${key.values.length ? html`<select name=${KEY + key.name} required=${key.required}><option value=""></option>
          ${key.values.map((value) => html`<option value=${value}>${value}</option>`)}</select>`
        : html`<input name=${KEY + key.name} type="text" maxlength="1000" required=${key.required} />`}</label>`)}`;
}

const KEY = "payload.";

const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

// Units have no type. Without a year it is that of each tick. What is left empty is left out.
function requestOf(form) {
  const job = jobTypeOf(form.get("what"));
  const [module, type] = (job ? form.get("data_entry_type") ?? form.get("module") ?? "" : form.get("what")).split(" ");
  const parts = { year: Number(form.get("year")), module, data_entry_type: type, unit: form.get("unit") };
  const given = (all) => Object.fromEntries(all.filter(([, value]) => value));
  const keys = [...form].filter(([name]) => name.startsWith(KEY)).map(([name, value]) => [name.slice(KEY.length), value]);
  return {
    name: form.get("name"), cron: form.get("cron"), time_zone: form.get("time_zone"),
    scope: given(Object.entries(parts)),
    job_type: job || (type ? "api_ingest" : "unit_sync"),
    payload: job ? given(keys) : { provider: form.get("provider") },
  };
}
