// Data that a page asks for: loading, loaded, failed; the old stays, dimmed, while new is asked.
// What failed is shown in the service's own sentence, which is English: screen readers are told so.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api.js";
import { isWhole } from "../caller.js";
import { moduleName } from "../format.js";
import { html } from "../html.js";
import { caller } from "../store.js";
import { t } from "../words.js";

// What is said where nobody has answered.
const UNHEARD = { NO_ANSWER: "no_answer", NO_ANSWER_TO_ACT: "no_answer_to_act" };
// Asked again, they answer the same: what is not allowed, and what is not there.
const FINAL = [403, 404];

/**
 * `ask(signal)` is called again whenever one of `keys` changes, in a tab that nobody sees once it is seen; leaving
 * the page aborts it.
 * Returns {value, error, busy, again}.
 */
export function useAsked(ask, keys) {
  const [state, setState] = useState({ value: null, error: null, busy: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState((old) => ({ ...old, busy: true }));
    const begin = () => ask(abort.signal).then(
      (value) => !abort.signal.aborted && setState({ value, error: null, busy: false }),
      (error) => {
        if (!abort.signal.aborted) setState((old) => ({ ...old, error, busy: false }));
      },
    );
    // What it has never shown is there when one comes to it.
    if (document.visibilityState === "visible" || state.value === null) begin();
    else document.addEventListener("visibilitychange", begin, { once: true, signal: abort.signal });
    return () => abort.abort();
  }, [...keys, turn]);
  const again = useCallback(() => setTurn((number) => number + 1), []);
  return { ...state, again };
}

/** Says that an answer is on its way, until it or an error is there. */
export function Waiting({ asked }) {
  if (asked.value || asked.error) return null;
  return html`<p class="soft" aria-busy="true">${t("loading")}</p>`;
}

/** An error with all fields that are wrong; takes the focus if `focus`. */
export function Trouble({ error, again, focus = false }) {
  const box = useRef(null);
  useEffect(() => {
    if (focus) box.current?.focus();
  }, [error]);
  if (!error) return null;
  const isOfService = error instanceof ApiError && error.status;
  return html`<div class="trouble" role="alert" tabindex="-1" ref=${box}>
    <p><strong lang=${isOfService ? "en" : undefined}>${
      error.status ? error.message : t(UNHEARD[error.reason] ?? "unreachable")}</strong></p>
    ${error.violations?.length > 1 && html`<ul>
      ${error.violations.map((one) => html`<li lang="en"><code>${one.field}</code>: ${one.description}</li>`)}
    </ul>`}
    ${again && !FINAL.includes(error.status) && html`<button type="button" onClick=${again}>${t("try_again")}</button>`}
  </div>`;
}

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
