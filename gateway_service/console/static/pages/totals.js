// A year's totals: by module, by emission tree, by unit; scopes, last year, what is missing.
import { get } from "../api.js";
import { askTotals, OWN } from "../caller.js";
import { moduleName, time, tonnes, typeName } from "../format.js";
import { html } from "../html.js";
import { Limited, Trouble, useAsked, Waiting } from "../parts/asked.js";
import { ScopeBars } from "../parts/bars.js";
import { Treemap, treeOf } from "../parts/treemap.js";
import { OfOthers, UnitTotals } from "../parts/unit_totals.js";
import { UnitTree } from "../parts/unit_tree.js";
import { address, YearChoice } from "../router.js";
import { endsOf } from "../store.js";
import { t, tn } from "../words.js";

export function Page({ year }) {
  const unit = address.value.query.get("unit");
  const node = address.value.query.get("node") ?? "";
  if (!unit) return html`<${InstitutionTotals} year=${year} />`;
  return html`<${UnitTotals} key=${unit} year=${year} unit=${unit} ends=${endsOf(year)} node=${node} href=${hrefWith} />`;
}

// This page with other values in its query; "" leaves one out.
function hrefWith(changes) {
  const query = new URLSearchParams(address.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  return `/totals?${query}`;
}

function InstitutionTotals({ year }) {
  const ends = endsOf(year);
  const asked = useAsked((signal) => askTotals(year, signal), [year, ends]);
  const last = useAsked((signal) => askTotals(year - 1, signal), [year]);
  // Sums that only the report has: by person, and along the tree of units.
  const report = useAsked((signal) => get(`/v1/years/${year}/report`, OWN, { signal }), [year, ends]);
  const perPerson = report.value?.whole?.kg_per_fte;
  const totals = asked.value;
  return html`
    <div class="heading"><h1>${t("totals_of", { year })}</h1>
      <${YearChoice} year=${year} more=${totals?.years} href=${(one) => `/totals?year=${one}`} /></div>
    <${Limited} />
    <${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    ${totals && !totals.unit_totals.length && html`<p>${t("no_totals", { year })}${" "}
      <a href=${`/years/${year}`}>${year}</a></p>`}
    ${totals?.unit_totals.length > 0 && html`<div class=${asked.busy ? "dim" : ""} aria-busy=${asked.busy}>
      <p class="headline"><span class="figure">${tonnes(totals.institution.total_kg)}</span> t CO₂eq${
        perPerson !== undefined && html`, ${t("per_fte", { t: tonnes(perPerson) })}`}</p>
      <${Missing} totals=${totals} year=${year} />
      <${ScopeBars} caption=${t("by_module")} head=${t("module")} rows=${moduleRows(totals, last.value, year)} />
      <h2>${t("made_of")}</h2>
      <${Tree} totals=${totals} year=${year} />
      <${Units} year=${year} asked=${report} />
      <${ScopeBars} caption=${t("by_unit")} head=${t("unit")} rows=${unitRows(totals, last.value)} />
      <p class="acts"><a href=${`/v1/years/${year}/totals.csv`} download>CSV</a>${" "}
        <a href=${`/v1/years/${year}/totals?${new URLSearchParams(OWN)}`} download=${`totals-${year}.json`}>JSON</a></p>
    </div>`}
  `;
}

// Of an institution whose units are below one another.
function Units({ year, asked }) {
  const nodes = asked.value?.unit_tree ?? [];
  return html`<${Trouble} error=${asked.error} again=${asked.again} />
    <${Waiting} asked=${asked} />
    ${nodes.length > 0 && html`<div class=${asked.busy ? "dim" : ""} aria-busy=${asked.busy}>
      <${UnitTree} nodes=${nodes} year=${year} href=${(unit) => hrefWith({ unit, node: "" })} />
      <${OfOthers} report=${asked.value} />
      <p class="acts"><a href=${`/v1/years/${year}/unit_tree.csv`} download>CSV</a></p></div>`}`;
}

const rowsAt = (year, node) => `/explain?${new URLSearchParams({ year, emission_type: node })}`;

// What these totals do not hold is said before any chart is read.
function Missing({ totals, year }) {
  const stale = totals.freshness.filter((one) => !one.fresh);
  const without = Number(totals.institution.entries_without_kg);
  return html`
    ${stale.map((one) => html`<p class="notice">${t("stale_module", { module: moduleName(one.module) })}${" "}
      ${one.reason ? html`<span lang="en">${one.reason}</span>` : one.stale_types.map(typeName).join(", ")}${" "}
      ${time(one.since)}</p>`)}
    ${without > 0 && html`<p class="notice">${tn("without_kg", without)}${" "}
      <a href=${`/v1/years/${year}/uncomputed.csv`} download>${t("uncomputed_csv")}</a></p>`}
  `;
}

const scopesOf = (row) => [row.ghg_scope_1_kg, row.ghg_scope_2_kg, row.ghg_scope_3_kg];

function sumBy(rows, keyOf) {
  const sums = new Map();
  for (const row of rows ?? []) {
    const sum = sums.get(keyOf(row)) ?? { kg: [0, 0, 0], total: 0 };
    scopesOf(row).forEach((kg, index) => {
      sum.kg[index] += kg;
    });
    sum.total += row.total_kg;
    sums.set(keyOf(row), sum);
  }
  return sums;
}

const largestFirst = (a, b) => b.total - a.total;

function moduleRows(totals, last, year) {
  const before = sumBy(last?.module_totals, (row) => row.module);
  return [...sumBy(totals.module_totals, (row) => row.module)].map(([module, sum]) => ({
    key: module, name: moduleName(module), href: `/explain?year=${year}&module=${module}`, ...sum,
    before: before.get(module)?.total,
  })).sort(largestFirst);
}

function unitRows(totals, last) {
  const before = sumBy(last?.unit_totals, (row) => row.unit);
  return totals.unit_totals.map((row) => ({
    key: row.unit, name: row.unit_name || row.unit, href: hrefWith({ unit: row.unit, node: "" }),
    kg: scopesOf(row), total: row.total_kg,
    before: before.get(row.unit)?.total,
  })).sort(largestFirst);
}

function Tree({ totals, year }) {
  const byPath = {};
  for (const row of totals.module_totals) {
    for (const [path, kg] of Object.entries(row.by_emission_type)) byPath[path] = (byPath[path] ?? 0) + kg;
  }
  return html`<${Treemap} root=${treeOf(byPath)} at=${address.value.query.get("node") ?? ""}
    href=${(node) => hrefWith({ node })} rows=${(node) => rowsAt(year, node)} />`;
}
