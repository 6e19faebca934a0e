// Signing in with a token, or with the one-time code that `carbonline console` put into the address.
import { useEffect, useState } from "preact/hooks";
import { post } from "../api.js";
import { html } from "../html.js";
import { Trouble } from "../parts/asked.js";
import { address } from "../router.js";
import { t } from "../words.js";

/** `onLogin(next, who)` is called with the address to go on to, and with who has logged in. */
export function Page({ onLogin }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const enter = async (body) => {
    setBusy(true);
    try {
      const who = await post("/v1/session", body);
      onLogin(safeNext(address.value.query.get("next")), who);
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  useEffect(() => {
    // In the fragment, which reaches no log and no other site; good once.
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    if (!code) return;
    history.replaceState(null, "", location.pathname + location.search);
    enter({ code });
  }, []);
  const submit = (event) => {
    event.preventDefault();
    enter({ token: new FormData(event.target).get("token").trim() });
  };
  return html`
    <h1>${t("page.login")}</h1>
    <form class="sheet" onSubmit=${submit}>
      <label>${t("token")}<input name="token" type="password" required autocomplete="off" spellcheck="false" /></label>
      <p class="soft">${t("token_help")} <code>carbonline console</code></p>
      <${Trouble} error=${error} focus />
      <p><button type="submit" class="main" disabled=${busy}>${t("page.login")}</button></p>
    </form>
  `;
}

// Only a page of ours: an address that begins with two slashes is another host.
function safeNext(next) {
  return next?.startsWith("/") && !next.startsWith("//") && !next.startsWith("/login") ? next : "/";
}
