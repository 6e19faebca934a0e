// What a total is made of: the uploads that count, and of each its rows, every one with the factor
// in the version that was used, and its kilograms.
import { get } from "../api.js";
import { askTotals, askUploads, OWN } from "../caller.js";
import { count, kindName, moduleName, nodeWay, time, tonnes, typeName, zone } from "../format.js";
import { html } from "../html.js";
import { Limited, Trouble, useAsked, Waiting } from "../parts/asked.js";
import { ResultRows } from "../parts/result_rows.js";
import { UploadAgain } from "../parts/upload_again.js";
import { address, filterBy } from "../router.js";
import { endsOf } from "../store.js";
import { t, tn } from "../words.js";

const ROWS_PER_PAGE = 50;

export function Page({ year }) {
  const { query } = address.value;
  return query.get("upload") || query.get("pipeline")
    ? html`<${Rows} query=${query} />`
    : html`<${Uploads} year=${year} module=${query.get("module") ?? ""} unit=${query.get("unit") ?? ""}
      node=${query.get("emission_type") ?? ""} gone=${query.get("gone") ?? ""} />`;
}

/** The uploads that count for a year, largest first, and that they add up to its total. */
function Uploads({ year, module, unit, node, gone }) {
  const ends = endsOf(year);
  const chosen = { module, emission_type: node, include_retired: gone && true };
  const here = (more) => `/explain?${given({ year, module, unit, emission_type: node, gone, ...more })}`;
  const asked = useAsked((signal) => askUploads(year, chosen, signal),
    [year, module, node, gone, ends]);
  const totals = useAsked((signal) => askTotals(year, signal), [year, ends]);
  const uploads = [...(asked.value?.found ?? [])].sort((a, b) => (kgOf(b) ?? 0) - (kgOf(a) ?? 0));
  const what = [module && moduleName(module), node && nodeWay(node)].filter(Boolean).join(", ") || t("all_modules");
  return html`
    <h1>${t("made_of_uploads", { what, year })}</h1>
    <p><a href=${`/totals?year=${year}`}>${t("totals_of", { year })}</a>${" "}
      <a href=${here({ gone: gone ? "" : 1 })}>${t(gone ? "without_gone" : "with_gone")}</a></p>
    <${Limited} />
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    ${unit && html`<p class="notice">${t("rows_of_unit", { unit })}${" "}
      <a href=${here({ unit: "" })}>${t("of_all_units")}</a></p>`}
    ${asked.value && !uploads.length && html`<p>${t("no_uploads")}</p>`}
    ${uploads.length > 0 && html`<div class=${asked.busy ? "dim" : ""} aria-busy=${asked.busy}>
      <${UploadTable} uploads=${uploads} unit=${unit} node=${node} gone=${gone} />
      <${Sum} uploads=${uploads} totals=${totals.value} module=${module} node=${node} more=${asked.value.more} />
      <p class="acts"><a href=${`/v1/years/${year}/uploads.csv?${given(chosen)}`} download>CSV</a></p>
    </div>`}
  `;
}

const stateOf = (one) => t(`upload_state.${one.state.replace("UPLOAD_STATE_", "")}`);
const counts = (one) => one.state === "UPLOAD_STATE_COUNTS";
// What an upload has in the node that was asked for, else in all.
const kgOf = (one) => one.emission_type_kg ?? one.total_kg;
const given = (values) => new URLSearchParams(Object.entries(values).filter(([, one]) => one));

function UploadTable({ uploads, unit, node, gone }) {
  const caption = `${t(gone ? "uploads_of_all_states" : "uploads_that_count")} (${zone()})`;
  const href = ({ upload_id: upload, module }) => `/explain?${given({ upload, module, unit, emission_type: node })}`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table>
    <caption>${caption}</caption>
    <thead><tr><th scope="col">${t("upload_head")}</th><th scope="col">${t("type")}</th><th scope="col">${t("file")}</th>
      <th scope="col">${t("unit")}</th><th scope="col">${t("source_head")}</th><th scope="col">${t("by")}</th>
      <th scope="col">${t("since")}</th><th scope="col" class="number">${t("rows")}</th>
      <th scope="col" class="number">t CO₂eq</th>${gone && html`<th scope="col">${t("state_head")}</th>`}</tr></thead>
    <tbody>${uploads.map((one) => html`<tr key=${one.upload_id}>
      <th scope="row"><a href=${href(one)}>${t("upload_n", { n: one.upload_id })}</a></th>
      <td>${typeName(one.data_entry_type)}</td>
      <td><a href=${`/v1/uploads/${one.upload_id}/content`} download>
        ${one.file_name || t("file")}</a></td>
      <td>${one.unit}</td><td>${one.source}</td><td>${one.submitted_by}</td>
      <td class="moment"><time datetime=${one.published_at}>${time(one.published_at)}</time></td>
      <td class="number">${count(one.entry_count)}</td>
      <td class="number">${kgOf(one) === undefined ? "–" : tonnes(kgOf(one))}</td>
      ${gone && html`<td>${stateOf(one)}</td>`}
    </tr>`)}</tbody>
  </table></div>`;
}

// Uploads are computed first and summed then: until the sum is there, it differs.
function Sum({ uploads, totals, module, node, more }) {
  if (more || !totals) return null;
  const sum = uploads.filter(counts).reduce((kg, one) => kg + (kgOf(one) ?? 0), 0);
  const rows = totals.module_totals.filter((one) => !module || one.module === module);
  const total = rows.reduce((kg, one) => kg + (node ? one.by_emission_type[node] ?? 0 : one.total_kg), 0);
  const same = Math.abs(sum - total) <= SAME_KG;
  return html`<p>${t(same ? "sums_agree" : "sums_differ", { sum: tonnes(sum), total: tonnes(total) })}</p>`;
}

// Of sums of doubles whose exact values are the same.
const SAME_KG = 0.001;

/** The rows of an upload or of a pipeline, a page at a time. */
function Rows({ query }) {
  const [upload, pipeline, module, unit, node, page] = ["upload", "pipeline", "module", "unit", "emission_type", "page"]
    .map((name) => query.get(name) ?? "");
  const chosen = { upload_id: upload, pipeline_id: pipeline, module, unit, emission_type: node };
  const asked = useAsked((signal) => firstRows({ ...chosen, page_token: page }, signal), [query.toString()]);
  const modules = useAsked((signal) => get("/v1/modules", {}, { signal }), []);
  const formulas = new Map((modules.value?.modules ?? [])
    .flatMap((one) => one.data_entry_types.map((type) => [type.data_entry_type, type])));
  const answer = asked.value;
  const next = new URLSearchParams(query);
  next.set("page", answer?.next_page_token ?? "");
  return html`
    <h1>${upload ? t("rows_of_upload", { n: upload }) : t("rows_of_pipeline", { n: pipeline })}</h1>
    ${upload && html`<${UploadFacts} id=${upload} />`}
    ${pipeline && html`<p><a href=${`/pipelines/${pipeline}`}>${t("pipeline_n", { n: pipeline })}</a></p>`}
    ${node && html`<p class="notice">${t("emissions_of_node", { node: nodeWay(node) })}${" "}
      <a href=${`/explain?${given({ upload, pipeline, module, unit })}`}>${t("all_emissions")}</a></p>`}
    <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <label>${t("unit")}<input id="filter" type="text" maxlength="200" value=${unit}
        onChange=${(e) => filterBy("unit", e.target.value.trim())} /></label></form>
    <${Trouble} error=${asked.error ?? modules.error} again=${() => (asked.again(), modules.again())} />
    <${Waiting} asked=${asked} />
    ${answer?.deleted_upload_ids.length > 0 && html`<p class="notice">${t("rows_deleted")}</p>`}
    ${answer && !answer.rows.length && html`<p>${t("no_rows")}</p>`}
    ${answer?.rows.length > 0 && html`<div class=${asked.busy ? "dim" : ""} aria-busy=${asked.busy}>
      <${ResultRows} rows=${answer.rows} formulas=${formulas} caption=${t("rows_and_results")} />
      <p class="acts"><a href=${`/v1/emissions.csv?${given(chosen)}`} download>CSV</a>
        ${answer.next_page_token && html`<a href=${`/explain?${next}`}>${t("next_rows")}</a>`}</p></div>`}
  `;
}

// Of a large file few rows may be of a node or of a unit, and a page that looked at many of the others is empty.
async function firstRows(wanted, signal) {
  let query = { ...wanted, ...OWN, page_size: ROWS_PER_PAGE };
  for (;;) {
    const answer = await get("/v1/emissions", query, { signal });
    if (answer.rows.length || !answer.next_page_token) return answer;
    query = { ...query, page_token: answer.next_page_token };
  }
}

/** Which upload it is, whether it counts, and who brought it. */
function UploadFacts({ id }) {
  const asked = useAsked(async (signal) => {
    // An upload is asked for by its number; the year in the address has no part in it.
    const { uploads } = await get("/v1/years/0/uploads", { upload_id: id, include_retired: true }, { signal });
    return uploads[0] ?? null;
  }, [id]);
  return html`<${Trouble} error=${asked.error} again=${asked.again} />
    ${asked.value && html`<${Facts} one=${asked.value} /><${UploadAgain} one=${asked.value} />`}`;
}

function Facts({ one }) {
  const link = (id) => html`<a href=${`/pipelines/${id}`}>${t("pipeline_n", { n: id })}</a>`;
  const facts = [
    [t("type"), `${moduleName(one.module)}, ${typeName(one.data_entry_type)} ${one.year}`],
    [t("state_head"), stateOf(one)],
    [t("replaced_by"), Number(one.replaced_by) ? html`<a href=${`/explain?upload=${one.replaced_by}`}>
      ${t("upload_n", { n: one.replaced_by })}</a>` : ""],
    [t("file"), one.file_name],
    [t("source_head"), one.source],
    [t("by"), one.submitted_by],
    [kindName("csv_ingest"), Number(one.pipeline_id) ? link(one.pipeline_id) : ""],
    ["t CO₂eq", one.total_kg === undefined ? "" : tonnes(one.total_kg)],
  ].filter(([, value]) => value);
  return html`<p><a href=${`/explain?${new URLSearchParams({ year: one.year, module: one.module })}`}>
      ${t("made_of_uploads", { what: moduleName(one.module), year: one.year })}</a></p>
    <dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
