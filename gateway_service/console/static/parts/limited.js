// Says to somebody with limited modules or units what they see, and what is left to others.
import { isWhole } from "../caller.js";
import { moduleName } from "../format.js";
import { html } from "../html.js";
import { caller } from "../store.js";
import { t } from "../words.js";

const SHOWN_MAX = 8;

/** A sentence, where somebody would look for what is not offered to them. */
export function Limited() {
  const who = caller.value;
  if (!who || isWhole()) return null;
  const named = [
    ...(who.all_modules ? [] : who.modules.map(moduleName)),
    ...(who.all_units ? [] : who.units.map((unit) => t("unit_n", { unit }))),
  ];
  const what = named.slice(0, SHOWN_MAX).join(", ") + (named.length > SHOWN_MAX ? ", …" : "");
  return html`<p class="notice">${t("limited_to", { what })}</p>`;
}
