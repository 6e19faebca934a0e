// The words of the page, one file per language, of which one is loaded. The choice is the person's,
// else the browser's.
import { batch, computed, signal } from "@preact/signals";

export const languages = ["en", "fr"];
const KEPT = "carbonline-language";

function wanted() {
  const asked = [localStorage.getItem(KEPT), ...navigator.languages].filter(Boolean);
  return asked.map((one) => one.slice(0, 2)).find((one) => languages.includes(one)) ?? languages[0];
}

const load = async (name) => (await import(`./words/${name}.js`)).words;

export const language = signal(wanted());
const words = signal(await load(language.value));

/** The browser's variety of the language, such as en-GB: for dates and numbers. */
export const locale = computed(
  () => navigator.languages.find((one) => one.slice(0, 2) === language.value) ?? language.value,
);

/** The words of a key; `{name}` in them is replaced. "" if there is no such key. */
export function t(key, values = {}) {
  return (words.value[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The words of a key for so many: `key.one` or `key.other`. */
export function tn(key, number, values = {}) {
  const form = new Intl.PluralRules(language.value).select(Number(number));
  const name = `${key}.${form}` in words.value ? `${key}.${form}` : `${key}.other`;
  return t(name, { n: new Intl.NumberFormat(locale.value).format(Number(number)), ...values });
}

/** Changes the language, and remembers it. */
export async function speak(name) {
  const loaded = await load(name);
  localStorage.setItem(KEPT, name);
  batch(() => {
    words.value = loaded;
    language.value = name;
  });
}
