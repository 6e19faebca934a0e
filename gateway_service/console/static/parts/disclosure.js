// Something that opens what it is about: on hover, on keyboard focus, on a click. Not a tooltip,
// since what it opens holds links and buttons, and a keyboard must reach them.
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";

const LEAVE_MS = 250;

/** `label` is drawn in the button, `children` in the panel. Escape closes until it is left. */
export function Disclosure({ label, tone, children }) {
  const id = useId();
  const whole = useRef(null);
  const timer = useRef(0);
  const [open, setOpen] = useState(false);
  const [closed, setClosed] = useState(false);
  const show = () => {
    clearTimeout(timer.current);
    if (!closed) setOpen(true);
  };
  const left = () => {
    setOpen(false);
    setClosed(false);
  };
  const leave = () => {
    clearTimeout(timer.current);
    // The pointer may cross a gap on its way into the panel.
    timer.current = setTimeout(() => {
      if (!whole.current?.contains(document.activeElement)) left();
    }, LEAVE_MS);
  };
  const blur = (event) => {
    if (!whole.current.contains(event.relatedTarget) && !whole.current.matches(":hover")) left();
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  // Before the panel is seen: an effect after it would miss who presses Escape at once.
  useLayoutEffect(() => {
    if (!open) return undefined;
    const escape = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      setOpen(false);
      setClosed(true);
    };
    document.addEventListener("keydown", escape, true);
    return () => document.removeEventListener("keydown", escape, true);
  }, [open]);
  const click = () => {
    setClosed(false);
    setOpen(true);
  };
  return html`<div
    class="disclosure" ref=${whole}
    onPointerEnter=${show} onPointerLeave=${leave} onFocusIn=${show} onFocusOut=${blur}>
    <button type="button" class=${`badge tone-${tone}`} aria-expanded=${open} aria-controls=${id}
      onClick=${click}>${label}</button>
    <div class="panel" id=${id} hidden=${!open}>${children}</div>
  </div>`;
}
