// A button that copies a text, also where the browser's clipboard is missing (plain http).
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../words.js";

export function CopyButton({ text, label }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => setCopied(await copyText(String(text)));
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
