// A button that has all types of a module computed and summed again, where totals are out of date.
import { useState } from "preact/hooks";
import { post, requestId } from "../api.js";
import { mayForAllUnits } from "../caller.js";
import { moduleName } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";
import { Confirm } from "./confirm.js";

/**
 * `stale` is whether it is needed. Once used, it stays, so that the focus has somewhere to be.
 * What is up to date is kept as it is, so it is not asked for what is stale alone.
 */
export function Recalculate({ year, module, stale, done = () => {} }) {
  const [used, setUsed] = useState(false);
  if (!mayForAllUnits(module) || !(stale || used)) return null;
  const act = async () => {
    const scope = { module, year: Number(year) };
    await post("/v1/pipelines", { job_type: "module_emission_recalc", scope, request_id: requestId() });
    setUsed(true);
    done();
  };
  const name = moduleName(module);
  return html`<${Confirm} label=${t("recalculate")} yes=${t("recalculate")} of=${`${name} ${year}`}
    question=${t("recalculate_question", { module: name, year })} act=${act} />`;
}
