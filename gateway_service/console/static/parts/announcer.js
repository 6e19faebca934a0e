// Says to a screen reader when a pipeline ends: ends only, never progress, one a second at most.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { isLive, pipelines } from "../store.js";
import { t } from "../words.js";
import { statusWords } from "./badge.js";

const PAUSE_MS = 1000;

export function Announcer() {
  const live = useRef(new Set());
  const waiting = useRef([]);
  const timer = useRef(0);
  const [text, setText] = useState("");
  const rows = pipelines.value;
  useEffect(() => {
    for (const row of rows.values()) {
      if (isLive(row)) live.current.add(row.pipeline_id);
      else if (live.current.delete(row.pipeline_id)) waiting.current.push(row);
    }
    const next = () => {
      const row = waiting.current.shift();
      timer.current = 0;
      if (!row) return;
      setText(`${t("pipeline_n", { n: row.pipeline_id })}: ${statusWords(row)}`);
      timer.current = setTimeout(next, PAUSE_MS);
    };
    if (!timer.current) next();
  }, [rows]);
  return html`<p class="off-screen" aria-live="polite">${text}</p>`;
}
