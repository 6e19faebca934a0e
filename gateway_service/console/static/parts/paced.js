// A signal that follows another one at a pace that a page can draw.
import { effect, signal } from "@preact/signals";

// People see no difference, and what is drawn costs little, however much changes.
const PAUSE_MS = 250;

/**
 * Follows `source`: a change after a pause of PAUSE_MS at once, those within it together at its end.
 * For a page of many rows, which would otherwise be drawn for each of fifty changes in a second.
 */
export function paced(source) {
  const shown = signal(source.peek());
  let due = 0;
  let last = -PAUSE_MS;
  effect(() => {
    source.value;
    if (due) return;
    const left = last + PAUSE_MS - performance.now();
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
