"""Calls that hang: given up after a minute of silence, however long an answer or a file takes."""

from typing import Any

from tests.browser.conftest import Tabs
from tests.browser.settling import comes, settled

MINUTE, PART = 60_000, 40_000
HUNG = "No answer has come for a minute."
# An answer whose pieces a test sends; `null` is its end.
DRIP = """() => {
    const body = new ReadableStream({ start: (into) => (window.into = into) });
    window.fetch = async (path, { signal }) => {
        signal.addEventListener('abort', () => window.into.error(signal.reason));
        return new Response(body);
    };
    window.put = (text) => new Promise((done) => {
        if (text === null) window.into.close();
        else window.into.enqueue(new TextEncoder().encode(text));
        setTimeout(done);
    });
}"""
CALL = """async (method) => {
    const api = await import('/static/api.js');
    window.told = null;
    const call = method === 'get' ? api.get('/v1/x') : api.post('/v1/x');
    call.then((value) => (window.told = value), (error) => (window.told = error.reason));
}"""
# An upload of which a test says how far it is.
SEND = """async () => {
    window.XMLHttpRequest = class {
        upload = {};
        open() {}
        setRequestHeader() {}
        send() { window.sent = this; }
        abort() { this.onabort(); this.onloadend(); }
    };
    const { sendFile } = await import('/static/upload.js');
    window.told = null;
    const wanted = { kind: 'units', year: 2024, file: new File(['x'], 'x.csv') };
    sendFile(wanted, () => {}).done.catch((error) => (window.told = error.reason));
}"""
TOLD = "window.told"


def test_a_list_that_hangs_is_given_up_and_asked_for_again(tabs: Tabs) -> None:
    hung: list[Any] = []

    def hang(route: Any) -> None:
        hung.append(route)

    tabs.context.route("**/v1/pipelines?*", hang, times=1)
    tabs.context.clock.install()
    page = tabs.open("/pipelines")
    comes(page, lambda: len(hung), bool)
    page.clock.fast_forward(MINUTE)
    page.get_by_role("alert").get_by_text(HUNG).wait_for()
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("alert").wait_for(state="detached")
    settled(page)
    assert page.get_by_label("Module").count() == 1


def outcome(page: Any) -> Any:
    return comes(page, lambda: page.evaluate(TOLD), lambda found: found is not None)


def test_an_answer_may_take_long_and_silence_ends_it(tabs: Tabs) -> None:
    tabs.context.clock.install()
    page = tabs.open("/login")
    page.evaluate(DRIP)
    page.evaluate(CALL, "get")
    for piece in ('{"a"', ": 1", "}"):
        page.evaluate("(piece) => window.put(piece)", piece)
        page.clock.fast_forward(PART)
    page.evaluate("() => window.put(null)")
    assert outcome(page) == {"a": 1}
    for method, reason in (("get", "NO_ANSWER"), ("post", "NO_ANSWER_TO_ACT")):
        page.evaluate(DRIP)
        page.evaluate(CALL, method)
        page.evaluate("() => window.put('{')")
        page.clock.fast_forward(MINUTE)
        assert outcome(page) == reason


def test_a_file_takes_as_long_as_its_bytes_go(tabs: Tabs) -> None:
    tabs.context.clock.install()
    page = tabs.open("/login")
    page.evaluate(SEND)
    for _ in range(3):
        page.clock.fast_forward(PART)
        page.evaluate("() => window.sent.upload.onprogress({ loaded: 1 })")
    page.evaluate("() => window.sent.upload.onload()")
    page.clock.fast_forward(2 * MINUTE)
    assert page.evaluate(TOLD) is None
    page.evaluate("() => window.sent.upload.onprogress({ loaded: 1 })")
    page.clock.fast_forward(MINUTE)
    assert outcome(page) == "NO_ANSWER"
