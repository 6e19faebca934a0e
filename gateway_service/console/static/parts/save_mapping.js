// Keeps a mapping under a name, so that the next file of the same program needs only the name.
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { may } from "../caller.js";
import { html } from "../html.js";
import { t } from "../words.js";
import { Trouble } from "./asked.js";

/** `mapping` is as a payload takes it, `type` the data-entry type of its files. */
export function SaveMapping({ mapping, type }) {
  const [state, setState] = useState({ busy: false, saved: "", error: null });
  if (!may("SaveMapping")) return null;
  const save = async (event) => {
    event.preventDefault();
    const name = new FormData(event.target).get("mapping_name").trim();
    setState({ busy: true, saved: "", error: null });
    try {
      const { replaced } = await post("/v1/mappings", { data_entry_type: type, name, mapping });
      setState({ busy: false, saved: t(replaced ? "mapping_replaced" : "mapping_saved", { name }), error: null });
    } catch (error) {
      setState({ busy: false, saved: "", error });
    }
  };
  return html`<form onSubmit=${save}>
    <label>${t("save_mapping_as")}<input name="mapping_name" type="text" maxlength="64" required /></label>
    <p class="acts"><button type="submit" disabled=${state.busy}>${t("save_mapping")}</button></p>
    <${Trouble} error=${state.error} focus />
    <p role="status">${state.saved && html`${state.saved} <a href="/mappings">${t("page.mappings")}</a>`}</p>
  </form>`;
}
