// Data that a page asks for: loading, loaded, failed; the old stays, dimmed, while new is asked.
// What failed is shown in the service's own sentence.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../words.js";

/**
 * `ask(signal)` is called again whenever one of `keys` changes; leaving the page aborts it.
 * Returns {value, error, busy, again}.
 */
export function useAsked(ask, keys) {
  const [state, setState] = useState({ value: null, error: null, busy: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState((old) => ({ ...old, busy: true }));
    ask(abort.signal).then(
      (value) => !abort.signal.aborted && setState({ value, error: null, busy: false }),
      (error) => {
        if (!abort.signal.aborted) setState((old) => ({ ...old, error, busy: false }));
      },
    );
    return () => abort.abort();
  }, [...keys, turn]);
  const again = useCallback(() => setTurn((number) => number + 1), []);
  return { ...state, again };
}

/** An error with all fields that are wrong; takes the focus if `focus`. */
export function Trouble({ error, again, focus = false }) {
  const box = useRef(null);
  useEffect(() => {
    if (focus) box.current?.focus();
  }, [error]);
  if (!error) return null;
  return html`<div class="trouble" role="alert" tabindex="-1" ref=${box}>
    <p><strong>${error.status ? error.message : t("unreachable")}</strong></p>
    ${error.violations?.length > 1 && html`<ul>
      ${error.violations.map((one) => html`<li>${one.field}: ${one.description}</li>`)}
    </ul>`}
    ${again && html`<button type="button" onClick=${again}>${t("try_again")}</button>`}
  </div>`;
}
