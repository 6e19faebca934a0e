// Buttons that ask a second time in their place before they act; one of them recalculates a module.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { post, requestId } from "../api.js";
import { mayForAllUnits } from "../caller.js";
import { moduleName } from "../format.js";
import { html } from "../html.js";
import { Trouble } from "./asked.js";
import { t } from "../words.js";

/**
 * `act(reason)` may throw an ApiError, which is shown. `preview()` is asked when it opens, and says
 * what would happen. `of` tells the button from others. The focus goes to the safe choice, and at
 * the end back to the button.
 */
export function Confirm({ label, of = "", question, yes, act, reason = false, preview = null }) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [why, setWhy] = useState("");
  const [told, setTold] = useState("");
  const safe = useRef(null);
  const opener = useRef(null);
  const returns = useRef(false);
  const acted = useRef(false);
  // What was done may take the button away: the focus must be somewhere.
  useLayoutEffect(() => () => {
    if (acted.current) requestAnimationFrame(() => document.activeElement === document.body
      && document.getElementById("main")?.focus());
  }, []);
  // With the change, not after it is painted: a key that is pressed meanwhile would reach nobody.
  useLayoutEffect(() => {
    if (!open && returns.current) opener.current?.focus();
    returns.current = false;
    if (!open) return;
    safe.current?.focus();
    preview?.().then(setTold, setError);
  }, [open]);
  const close = () => {
    setOpen(false);
    setError(null);
    setTold("");
    returns.current = true;
  };
  const confirm = async (event) => {
    event.preventDefault();
    setBusy(true);
    acted.current = true;
    try {
      await act(why);
      returns.current = true;
      setOpen(false);
      setWhy("");
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  if (!open) {
    return html`<button type="button" ref=${opener} onClick=${() => setOpen(true)}>${label}
      ${of && html`<span class="off-screen"> ${of}</span>`}</button>`;
  }
  return html`<form class="confirm" onSubmit=${confirm}
      onKeyDown=${(event) => event.key === "Escape" && close()}>
    <p>${question}</p>
    ${told && html`<p class="soft">${told}</p>`}
    ${reason && html`<label>${t("reason")}
      <input type="text" maxlength="200" value=${why} onInput=${(e) => setWhy(e.target.value)} />
    </label>`}
    <${Trouble} error=${error} />
    <p class="acts"><button type="button" ref=${safe} onClick=${close}>${t("leave_it")}</button>
      <button type="submit" class="danger" disabled=${busy}>${yes}</button></p>
  </form>`;
}

/**
 * `stale` is whether it is needed. Once used, it stays, so that the focus has somewhere to be.
 * What is up to date is kept as it is, so it is not asked for what is stale alone.
 */
export function Recalculate({ year, module, stale, done = () => {} }) {
  const [used, setUsed] = useState(false);
  if (!mayForAllUnits(module) || !(stale || used)) return null;
  const act = async () => {
    const scope = { module, year: Number(year) };
    // Before the answer: the stream may tell sooner that nothing is stale, and the button would go.
    setUsed(true);
    await post("/v1/pipelines", { job_type: "module_emission_recalc", scope, request_id: requestId() });
    done();
  };
  const name = moduleName(module);
  return html`<${Confirm} label=${t("recalculate")} yes=${t("recalculate")} of=${`${name} ${year}`}
    question=${t("recalculate_question", { module: name, year })} act=${act} />`;
}
