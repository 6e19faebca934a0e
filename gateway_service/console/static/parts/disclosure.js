// What opens what it is about, on hover, on keyboard focus, on a click; and a button that copies a text.
// Not a tooltip, since what it opens holds links and buttons, and a keyboard must reach them.
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../words.js";

const LEAVE_MS = 250;

/** `label` is drawn in the button, `children` in the panel. Escape closes until it is left. */
export function Disclosure({ label, tone, children }) {
  const id = useId();
  const whole = useRef(null);
  const button = useRef(null);
  const panel = useRef(null);
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
    const gone = () => whole.current?.contains(document.activeElement) || left();
    // The pointer may cross a gap on its way into the panel.
    if (open) timer.current = setTimeout(gone, LEAVE_MS);
    else gone();
  };
  const blur = (event) => {
    // It has gone with the focus in it.
    if (!whole.current) return;
    if (!whole.current.contains(event.relatedTarget) && !whole.current.matches(":hover")) left();
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  // What it is about may go while somebody is in it: the focus must be somewhere.
  useLayoutEffect(() => () => {
    if (whole.current?.contains(document.activeElement)) requestAnimationFrame(focusPage);
  }, []);
  // Before the panel is seen: an effect after it would miss who presses Escape at once.
  useLayoutEffect(() => {
    if (!open) return undefined;
    const escape = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      // What is hidden loses the focus. The button opens by it, so it comes before it is closed.
      if (whole.current.contains(document.activeElement)) button.current.focus();
      setOpen(false);
      setClosed(true);
    };
    document.addEventListener("keydown", escape, true);
    return () => document.removeEventListener("keydown", escape, true);
  }, [open]);
  // At the right edge of the screen it grows to the left. Measured at each change: its words may become more.
  useLayoutEffect(() => {
    const { left: begins } = whole.current.getBoundingClientRect();
    const isCut = begins + panel.current.offsetWidth > document.documentElement.clientWidth;
    panel.current.classList.toggle("leftward", isCut);
  });
  const click = () => {
    setClosed(false);
    setOpen(true);
  };
  return html`<div
    class="disclosure" ref=${whole}
    onPointerEnter=${show} onPointerLeave=${leave} onFocusIn=${show} onFocusOut=${blur}>
    <button type="button" ref=${button} class=${`badge tone-${tone}`} aria-expanded=${open} aria-controls=${id}
      onClick=${click}>${label}</button>
    <div class="panel" id=${id} ref=${panel} hidden=${!open}>${children}</div>
  </div>`;
}

function focusPage() {
  if (document.activeElement === document.body) document.getElementById("main")?.focus();
}

/** `text` may be a function of the button. Also where the browser's clipboard is missing (plain http). */
export function CopyButton({ text, label }) {
  const [copied, setCopied] = useState(false);
  const copy = async ({ currentTarget: button }) =>
    setCopied(await copyText(String(typeof text === "function" ? text(button) : text)));
  return html`<button type="button" class="small" onClick=${copy}>
    ${copied ? t("copied") : label}
  </button>`;
}

/** Whether it could be copied. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyThroughField(text);
  }
}

function copyThroughField(text) {
  const active = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "off-screen";
  field.setAttribute("aria-hidden", "true");
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  active?.focus?.();
  return done;
}
