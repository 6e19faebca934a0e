// What a caller with limited modules or units is told. What is of all units or modules would be refused
// to them, so that each pair of a module and a unit of theirs is asked for, and added up here.
import { get, getAll } from "./api.js";
import { whoLooks } from "./caller.js";

// Of more pairs a page would ask for too much: it tells of the first.
const PAIRS_MAX = 40;
const SUMMED = ["ghg_scope_1_kg", "ghg_scope_2_kg", "ghg_scope_3_kg", "total_kg", "entries_without_kg"];
// Of somebody who cannot be known now, the services decide.
const UNKNOWN = { all_modules: true, all_units: true };

/** The filters {module, unit} with which to ask, one after the other; "" stands for all. */
export async function limits({ module = "", unit = "" } = {}) {
  const who = await whoLooks().catch(() => UNKNOWN);
  const modules = module || who.all_modules ? [module] : who.modules;
  const units = unit || who.all_units ? [unit] : who.units;
  return modules.flatMap((one) => units.map((of) => ({ module: one, unit: of }))).slice(0, PAIRS_MAX);
}

/** The totals of a year that the caller may see, in the form of those of the institution. */
export async function askTotals(year, signal) {
  const pairs = await limits();
  const answers = await Promise.all(pairs.map((pair) => get(`/v1/years/${year}/totals`, pair, { signal })));
  const [first] = answers;
  if (first.institution && answers.length === 1) return first;
  const rows = answers.flatMap((one) => one.module_totals);
  const units = [...new Map(rows.map((row) => [row.unit, row])).values()];
  return {
    module_totals: rows,
    unit_totals: units.map(({ unit, unit_name }) => ({ ...sumOf(rows.filter((row) => row.unit === unit)), unit, unit_name })),
    institution: sumOf(rows),
    freshness: [...new Map(answers.flatMap((one) => one.freshness).map((one) => [one.module, one])).values()],
    years: [...new Set(answers.flatMap((one) => one.years))].sort(),
  };
}

/** The uploads of a year that the caller may see, as `getAll` returns them. */
export async function askUploads(year, wanted, signal, most) {
  const pairs = await limits(wanted);
  const lists = await Promise.all(pairs.map((pair) =>
    getAll(`/v1/years/${year}/uploads`, "uploads", { ...wanted, ...pair }, { signal, most })));
  return { found: lists.flatMap((one) => one.found), more: lists.some((one) => one.more) };
}

function sumOf(rows) {
  return Object.fromEntries(SUMMED.map((name) => [name, rows.reduce((sum, row) => sum + Number(row[name]), 0)]));
}
