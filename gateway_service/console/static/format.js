// Numbers, times and names as people read them, in the language of the page.
import { clockSkew } from "./store.js";
import { locale, t } from "./words.js";

/** The modules, in the order of the contract. */
export const MODULES = [
  "MODULE_HEADCOUNT",
  "MODULE_PROFESSIONAL_TRAVEL",
  "MODULE_BUILDINGS",
  "MODULE_EQUIPMENT",
  "MODULE_PURCHASE",
  "MODULE_RESEARCH_FACILITIES",
  "MODULE_EXTERNAL_CLOUD_AND_AI",
  "MODULE_PROCESS_EMISSIONS",
];

const KG_PER_TONNE = 1000;
const SECOND = 1000;

/** Tonnes from kilograms, with one decimal; small amounts keep three significant digits. */
export function tonnes(kg) {
  const amount = Number(kg) / KG_PER_TONNE;
  const small = amount !== 0 && Math.abs(amount) < 1;
  const digits = small ? { maximumSignificantDigits: 3 } : { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(locale.value, digits).format(amount);
}

/** Kilograms, as one row has them. */
export function kilograms(kg) {
  return new Intl.NumberFormat(locale.value, { minimumFractionDigits: 3, maximumFractionDigits: 3 }).format(kg);
}

/** A number of any size, as it was computed with. */
export function number(amount) {
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: 3 }).format(amount);
}

export function count(number) {
  return new Intl.NumberFormat(locale.value).format(Number(number ?? 0));
}

/** A change in whole percent, with its sign; "" if there was nothing before. */
export function change(now, before) {
  if (!before) return "";
  const format = new Intl.NumberFormat(locale.value, {
    style: "percent", signDisplay: "always", maximumFractionDigits: 0,
  });
  // Some locales write a hyphen for a minus, which is narrower than a plus.
  return format.format((now - before) / before).replace("-", "\u2212");
}

/** A part of a whole in percent. */
export function share(part, whole) {
  const format = new Intl.NumberFormat(locale.value, {
    style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1,
  });
  return whole ? format.format(part / whole) : "";
}

/** A time of day with its date; the zone stands in the caption, see `zone`. */
export function time(iso) {
  if (!iso) return "";
  return new Intl.DateTimeFormat(locale.value, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).format(new Date(iso));
}

export function clock(ms) {
  return new Intl.DateTimeFormat(locale.value, { timeStyle: "medium" }).format(new Date(ms));
}

export function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The time between two moments of the server; up to now without the second. */
export function between(from, to) {
  if (!from) return "";
  const end = to ? Date.parse(to) : Date.now() + clockSkew.value;
  return seconds(Math.max(0, end - Date.parse(from)) / SECOND);
}

/** A duration of the contract, such as "12.5s"; "" without one. */
export function duration(text) {
  return text ? seconds(Number.parseFloat(text)) : "";
}

/** A duration in seconds, as people read it. */
export function seconds(amount) {
  if (amount < 1) return t("less_than_a_second");
  if (amount < 60) return `${new Intl.NumberFormat(locale.value, { maximumFractionDigits: 1 }).format(amount)} s`;
  const minutes = Math.floor(amount / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(amount % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A size in the units that file managers show. */
export function bytes(amount) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, amount)) / 3));
  return new Intl.NumberFormat(locale.value, {
    style: "unit", unit: units[power], unitDisplay: "short", maximumFractionDigits: power ? 1 : 0,
  }).format(amount / 1000 ** power);
}

/** How long a pipeline waited for its first claim; up to now if it still waits. */
export function waitedFor({ created_at: from, started_at: start, finished_at: end }) {
  // What it has joined may have begun before.
  return between(from, start ? later(start, from) : end);
}

/** How long it ran since; up to now if it runs, "" if it has never begun. */
export function ranFor({ created_at: from, started_at: start, finished_at: end }) {
  return start ? between(later(start, from), end) : "";
}

const later = (one, other) => (Date.parse(one) < Date.parse(other) ? other : one);

/** A name of the contract, such as MODULE_PROFESSIONAL_TRAVEL, in words: "Professional travel". */
export function named(value, prefix = "") {
  if (!value || value.endsWith("_UNSPECIFIED")) return "";
  const words = value.replace(prefix, "").toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const moduleName = (module) => t(`module.${short(module, "MODULE_")}`) || named(module, "MODULE_");
export const typeName = (type) => t(`type.${short(type, "DATA_ENTRY_TYPE_")}`) || named(type, "DATA_ENTRY_TYPE_");

const ACRONYMS = ["ai", "it", "ch4", "co2", "ln2", "n2o", "nf3", "pet", "rcp", "sf6"];

/** A node of the emission tree, by its path such as professional_travel.plane: "Plane". */
export function nodeName(path) {
  const name = path.slice(path.lastIndexOf(".") + 1);
  if (ACRONYMS.includes(name)) return name.toUpperCase();
  return t(`module.${name}`) || t(`type.${name}`) || t(`node.${name}`) || named(name);
}

/** A node with those above it: "Professional travel › Plane". */
export function nodeWay(path) {
  const names = path.split(".");
  return names.map((_, index) => nodeName(names.slice(0, index + 1).join("."))).join(" › ");
}

export const kindName = (kind) => t(`kind.${kind}`) || named(kind);

/** The short name that the command line uses, too: MODULE_PROFESSIONAL_TRAVEL, professional_travel. */
export function short(value, prefix) {
  return (value ?? "").replace(prefix, "").toLowerCase();
}
