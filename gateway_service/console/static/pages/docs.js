// The HTTP API, read from its OpenAPI document: every request, field and reason. Needs no login.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.js";
import { html } from "../html.js";
import { Trouble, useAsked, Waiting } from "../parts/asked.js";
import { address, filterBy } from "../router.js";
import { t, tn } from "../words.js";

const DOCUMENT = "/v1/openapi.json";

export function Page() {
  const asked = useAsked((signal) => get(DOCUMENT, {}, { signal }), []);
  return html`<h1>${t("page.docs")}</h1>
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    ${asked.value && html`<${Contents} api=${asked.value} />`}`;
}

function Contents({ api }) {
  const named = useHash();
  const text = address.value.query.get("text") ?? "";
  const wanted = text.toLowerCase();
  const found = operationsOf(api).filter(({ method, path, told }) => !wanted
    || [method, path, told.operationId, told.description].join(" ").toLowerCase().includes(wanted));
  const schemas = Object.entries(api.components.schemas)
    .filter(([name]) => !wanted || name.toLowerCase().includes(wanted) || named === name);
  return html`<${Prose} text=${api.info.description} />
    <p><a href=${DOCUMENT} download="carbonline-openapi.json">${t("docs_document")}</a></p>
    <div class="filters"><label>${t("docs_filter")}
      <input id="filter" type="search" value=${text} onInput=${(event) => filterBy("text", event.target.value)} />
    </label></div>
    <p class="soft" role="status">${tn("docs_found", found.length)}</p>
    ${groups(found).map(([tag, ones]) => html`<section key=${tag}><h2>${tag}</h2>
      ${ones.map((one) => html`<${Operation} key=${one.told.operationId} ...${one} api=${api} named=${named} />`)}</section>`)}
    ${schemas.length > 0 && html`<section><h2>${t("docs_schemas")}</h2>
      ${schemas.map(([name, schema]) => html`<${Folded} key=${name} id=${name} named=${named} title=${html`<code>${name}</code>`}>
        <${Prose} text=${schema.description} /><${Fields} schema=${schema} caption=${name} /><//>`)}</section>`}`;
}

function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods)
    .map(([method, told]) => ({ method: method.toUpperCase(), path, told })));
}

function groups(found) {
  const byTag = new Map();
  for (const one of found) byTag.set(one.told.tags[0], [...(byTag.get(one.told.tags[0]) ?? []), one]);
  return [...byTag].sort(([a], [b]) => a.localeCompare(b));
}

function Operation({ method, path, told, api, named }) {
  const body = Object.entries(told.requestBody?.content ?? {});
  const title = html`<code><strong>${method}</strong> ${path}</code> <span class="soft" lang="en">${told.summary}</span>`;
  return html`<${Folded} id=${told.operationId} named=${named} title=${title}>
    <${Prose} text=${told.description} />
    ${told["x-roles"] && html`<p class="soft">${t("docs_roles", { roles: told["x-roles"].join(", ") })}</p>`}
    ${told.security?.length === 0 && html`<p class="soft">${t("docs_open")}</p>`}
    ${told.parameters.length > 0 && html`<${Rows} caption=${t("docs_parameters")} rows=${told.parameters.map((one) =>
      [one.name, html`<${Form} schema=${one.schema} />`, one.in, one.required, one.description])} />`}
    ${body.map(([media, { schema }]) => html`<p>${t("docs_body")} <code>${media}</code> <${Form} schema=${schema} /></p>`)}
    <dl class="columns">${Object.entries(told.responses).map(([status, answer]) => html`
      <dt>${status} ${Object.entries(filled(answer, api).content ?? {}).map(([media, { schema }]) => html`
        <code>${media}</code> <${Form} schema=${schema} /> `)}</dt>
      <dd lang="en">${answer.description}</dd>`)}</dl>
  <//>`;
}

// What a response refers to, under its own description.
function filled(answer, api) {
  return answer.$ref ? { ...api.components.responses[answer.$ref.split("/").at(-1)], ...answer } : answer;
}

/** Drawn when it is first opened: the document is long. A link to its id opens it. */
function Folded({ id, named, title, children }) {
  const [open, setOpen] = useState(named === id);
  useEffect(() => {
    if (named !== id) return;
    setOpen(true);
    document.getElementById(id)?.scrollIntoView();
  }, [named]);
  return html`<details class="told" id=${id} open=${open} onToggle=${(event) => setOpen(event.target.open)}>
    <summary>${title}</summary>${open && children}</details>`;
}

function Fields({ schema, caption }) {
  const fields = Object.entries(schema.properties ?? {});
  return fields.length > 0 && html`<${Rows} caption=${caption} rows=${fields.map(([name, field]) =>
    [name, html`<${Form} schema=${field} />`, "", schema.required?.includes(name), field.description])} />`;
}

function Rows({ caption, rows }) {
  const placed = rows.some((row) => row[2]);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}><table>
    <caption>${caption}</caption>
    <thead><tr><th scope="col">${t("docs_field")}</th><th scope="col">${t("docs_form")}</th>
      ${placed && html`<th scope="col">${t("docs_place")}</th>`}<th scope="col">${t("docs_meaning")}</th></tr></thead>
    <tbody>${rows.map(([name, form, place, required, meaning]) => html`<tr key=${name}>
      <th scope="row"><code>${name}</code>${required && html` <span class="soft">${t("required")}</span>`}</th>
      <td>${form}</td>${placed && html`<td>${place}</td>`}<td><${Prose} text=${meaning} /></td></tr>`)}</tbody>
  </table></div>`;
}

/** What a value looks like, in a word or a link to its schema. */
function Form({ schema }) {
  if (!schema) return null;
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return html`<a href=${`${address.value.path}#${name}`}>${name}</a>`;
  }
  if (schema.type === "array") return html`${t("docs_list")} <${Form} schema=${schema.items} />`;
  if (schema.additionalProperties) return html`${t("docs_map")} <${Form} schema=${schema.additionalProperties} />`;
  const kind = [schema.type].flat().filter((one) => one && one !== "null").join(", ");
  return html`${schema.enum ? schema.enum.join(", ") : schema.format ?? kind}`;
}

/** Paragraphs, lists ("* ") and `code` of a description, which is English. */
function Prose({ text = "" }) {
  const lines = text.split("\n").filter(Boolean);
  const points = lines.filter((line) => line.startsWith("* "));
  return html`${lines.filter((line) => !line.startsWith("* ")).map((line) => html`<p lang="en">${coded(line)}</p>`)}
    ${points.length > 0 && html`<ul>${points.map((line) => html`<li lang="en">${coded(line.slice(2))}</li>`)}</ul>`}`;
}

const coded = (line) => line.split("`").map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));

function useHash() {
  const [hash, setHash] = useState(location.hash.slice(1));
  useEffect(() => {
    const moved = () => setHash(location.hash.slice(1));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return hash;
}
