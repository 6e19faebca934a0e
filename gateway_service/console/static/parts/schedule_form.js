// A new schedule: what is read from which provider, and when.
import { useState } from "preact/hooks";
import { get, post } from "../api.js";
import { moduleName, time, typeName, zone } from "../format.js";
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

function Form({ state, submit, close }) {
  const modules = useAsked((signal) => get("/v1/modules", {}, { signal }), []);
  const types = (modules.value?.modules ?? []).flatMap((one) => one.data_entry_types.filter((type) => type.supported)
    .map((type) => [`${one.module} ${type.data_entry_type}`, `${moduleName(one.module)}: ${typeName(type.data_entry_type)}`]));
  return html`<form class="sheet upload" onSubmit=${submit} onKeyDown=${(event) => event.key === "Escape" && close()}>
    <${Trouble} error=${modules.error} again=${modules.again} /><${Waiting} asked=${modules} />
    <label>${t("schedule_name")}<input name="name" type="text" maxlength="64" required autocomplete="off" /></label>
    <label>${t("what")}<select name="what"><option value="">${t("upload_kind.units")}</option>
      ${types.map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select></label>
    <label>${t("provider")}<input name="provider" type="text" maxlength="200" required /></label>
    <label>${t("cron_help")}<input name="cron" type="text" maxlength="200" required placeholder="15 2 * * *" /></label>
    <label>${t("time_zone")}<input name="time_zone" type="text" maxlength="64" value=${browserZone()} /></label>
    <label>${t("year_of_schedule")}<input name="year" type="number" min="1990" max="2100" /></label>
    <${Trouble} error=${state.error} focus />
    <p class="acts"><button type="button" onClick=${close}>${t("leave_it")}</button>
      <button type="submit" value="check">${t("check_first")}</button>
      <button type="submit" value="make" class="main">${t("make_schedule")}</button></p>
  </form>`;
}

const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

// Units have no type. Without a year it is that of each tick.
function requestOf(form) {
  const [module, type] = form.get("what").split(" ");
  const scope = { ...(form.get("year") && { year: Number(form.get("year")) }), ...(type && { module, data_entry_type: type }) };
  return {
    name: form.get("name"), cron: form.get("cron"), time_zone: form.get("time_zone"), scope,
    job_type: type ? "api_ingest" : "unit_sync", payload: { provider: form.get("provider") },
  };
}
