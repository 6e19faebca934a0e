// Saved mappings: how files of other programs are read, under names; shown and removed.
import { getAll, post } from "../api.js";
import { may } from "../caller.js";
import { count, time, typeName } from "../format.js";
import { html } from "../html.js";
import { Limited, Trouble, useAsked, Waiting } from "../parts/asked.js";
import { Confirm } from "../parts/confirm.js";
import { MappingTable } from "../parts/mapping_table.js";
import { t } from "../words.js";

export function Page() {
  const asked = useAsked((signal) => getAll("/v1/mappings", "mappings", {}, { signal }), []);
  const mappings = asked.value?.found ?? [];
  return html`
    <h1>${t("page.mappings")}</h1>
    <${Limited} />
    <p>${t("mappings_help")} <a href="/upload">${t("page.upload")}</a></p>
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    ${asked.value && !mappings.length && html`<p>${t("no_mappings")}</p>`}
    ${asked.value?.more && html`<p class="notice">${t("list_cut", { n: count(mappings.length) })}</p>`}
    <div class=${asked.busy ? "dim" : ""} aria-busy=${asked.busy}>${mappings.map((one) => html`
      <${Mapping} key=${`${one.data_entry_type} ${one.file_kind} ${one.name}`} one=${one} again=${asked.again} />`)}</div>
  `;
}

/** What the files bring: rows of a type, its factors, or what is of no type. */
function filesOf({ data_entry_type: type, file_kind: kind }) {
  if (kind === "entries") return typeName(type);
  return kind === "factors" ? `${t(`kind_of_file.${kind}`)}, ${typeName(type)}` : t(`kind_of_file.${kind}`);
}

function Mapping({ one, again }) {
  const name = t("mapping_n", { name: one.name, type: filesOf(one) });
  const remove = async () => {
    await post("/v1/mappings:delete", { data_entry_type: one.data_entry_type, file_kind: one.file_kind, name: one.name });
    again();
  };
  return html`<details class="told"><summary>${name}</summary>
    <${MappingTable} mapping=${one.mapping} caption=${name} />
    <p class="soft">${t("saved_by", { by: one.saved_by, at: time(one.saved_at) })}</p>
    ${may("DeleteMapping") && html`<${Confirm} label=${t("remove")} yes=${t("remove")}
      question=${t("delete_mapping_question", { name: one.name })} act=${remove} />`}
  </details>`;
}
