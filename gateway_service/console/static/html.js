// How parts are written: templates of HTML that Preact draws; and how often they are drawn.
import { effect, signal } from "@preact/signals";
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);

// People see no difference, and what is drawn costs little, however much changes.
const DRAWN_MS = 250;

/**
 * Follows `source`: a change after a pause at once, those within it together at its end.
 * For a page of many rows, which would otherwise be drawn for each of fifty changes in a second.
 */
export function paced(source, pauseMs = DRAWN_MS) {
  const shown = signal(source.peek());
  let due = 0;
  let last = -pauseMs;
  effect(() => {
    source.value;
    if (due) return;
    const left = last + pauseMs - performance.now();
    if (left > 0) due = setTimeout(follow, left);
    else follow();
  });
  function follow() {
    due = 0;
    last = performance.now();
    shown.value = source.peek();
  }
  return shown;
}
