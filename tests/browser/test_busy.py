"""A page that a thousand pipelines are on, while fifty change in each second."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Tabs
from tests.browser.settling import comes, settled
from tests.browser.test_store import DONE, row

ROWS = 1_000
# Three seconds of fifty changes each; a message each, as if nothing joined them.
CHANGES = 150
CHANGE_MS = 20
# The row that has the focus.
FOCUSED = "1000497"
# The store of the page itself, whose address has the hash of all files.
OWN_STORE = (
    "const own = document.querySelector('script[src$=\"/main.js\"]').src;"
    "const store = await import(own.replace('main.js', 'store.js'));"
)
TAKE = f"async (rows) => {{ {OWN_STORE} store.take({{ pipelines: rows }}); }}"
MORE_LIVE = f"""async (row) => {{
    {OWN_STORE}
    store.take({{ pipelines: [row], more_live: true }});
}}"""
CHANGE = f"""async ([count, pause, first, mine]) => {{
    {OWN_STORE}
    const rows = [...store.pipelines.value.values()].filter(
        (one) => one.submitted_by === 'somebody');
    const its = rows.find((one) => one.pipeline_id === mine);
    const focused = document.activeElement;
    const read = () => document.querySelector(`tbody a[href="/pipelines/${{mine}}"]`)
        ?.closest('tr').textContent;
    const seen = {{ lost: 0, moved: 0, drawn: false }};
    const [top, before] = [focused.getBoundingClientRect().top, read()];
    for (let number = 0; number < count; number += 1) {{
        // The row that has the focus changes, too: it could be drawn by another one in its place.
        const old = its && number % 5 === 0 ? its : rows[number * 7 % rows.length];
        const version = String(first + number);
        const status = number % 2 ? 'PIPELINE_STATUS_RUNNING' : 'PIPELINE_STATUS_SUCCESS';
        store.take({{ pipelines: [{{ ...old, version, status }}] }});
        await new Promise((resolve) => setTimeout(resolve, pause));
        if (document.activeElement !== focused) seen.lost += 1;
        seen.moved = Math.max(seen.moved, Math.abs(focused.getBoundingClientRect().top - top));
        seen.drawn ||= read() !== before;
    }}
    return seen;
}}"""

# How often the list of pipelines is drawn, at most (store.js).
DRAWN_MS = 250
DRAWN = f"""async ([count, pause, first]) => {{
    {OWN_STORE}
    const rows = [...store.pipelines.value.values()];
    let drawn = 0;
    const observer = new MutationObserver(() => (drawn += 1));
    const what = {{ subtree: true, childList: true, characterData: true }};
    observer.observe(document.querySelector('tbody'), what);
    const begun = performance.now();
    for (let number = 0; number < count; number += 1) {{
        const version = String(first + number);
        const old = rows[number % rows.length];
        store.take({{ pipelines: [{{ ...old, version, status: 'PIPELINE_STATUS_SUCCESS' }}] }});
        await new Promise((resolve) => setTimeout(resolve, pause));
    }}
    const seconds = (performance.now() - begun) / 1000;
    return {{ drawn, seconds, last: rows[count - 1].pipeline_id }};
}}"""
# One after the other ends.
ENDS = 20
END = f"""async ([count, pause]) => {{
    {OWN_STORE}
    const begun = performance.now();
    for (const row of [...store.pipelines.value.values()].slice(-count)) {{
        const ended = {{ version: '2', status: 'PIPELINE_STATUS_SUCCESS' }};
        store.take({{ pipelines: [{{ ...row, ...ended }}] }});
        await new Promise((resolve) => setTimeout(resolve, pause));
    }}
    return (performance.now() - begun) / 1000;
}}"""
# Of a browser without a window every tab is seen.
SEEN = """(state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
}"""
ANIMATIONS = "document.getAnimations().length"


def many(count: int) -> list[dict[str, Any]]:
    """So many pipelines, newer than any that a test's stack has."""
    moment = {"created_at": "2026-01-01T00:00:00Z", "submitted_by": "somebody"}
    return [
        row(1, "PIPELINE_STATUS_RUNNING", str(1_000_000 + number), **moment)
        for number in range(count)
    ]


@pytest.fixture
def busy(tabs: Tabs) -> Any:
    """The list of pipelines, with a thousand rows."""
    page = tabs.open("/pipelines")
    page.get_by_text("Live").first.wait_for()
    page.locator("[aria-busy=true]").first.wait_for(state="detached")
    page.evaluate(TAKE, many(ROWS))
    page.get_by_role("link", name="1000000", exact=True).wait_for()
    return page


def test_focus_and_place_are_kept_while_fifty_rows_change_in_each_second(busy: Any) -> None:
    link = busy.get_by_role("link", name=FOCUSED, exact=True)
    link.focus()
    seen = busy.evaluate(CHANGE, [CHANGES, CHANGE_MS, 10, FOCUSED])
    assert seen == {"lost": 0, "moved": 0, "drawn": True}


def test_an_open_question_keeps_what_was_typed_while_rows_change(tabs: Tabs) -> None:
    page = tabs.open("/years/2024")
    # What comes later moves what is below.
    settled(page)
    page.get_by_role("button", name="Lock the year").click()
    page.get_by_label("Reason").fill("Audit")
    page.evaluate(TAKE, many(50))
    # Told a moment later, and the header may take another line for it.
    page.get_by_role("status").filter(has_text="50 running").wait_for()
    page.get_by_label("Reason").focus()
    seen = page.evaluate(CHANGE, [CHANGES // 3, CHANGE_MS, 10, ""])
    assert seen == {"lost": 0, "moved": 0, "drawn": False}
    assert page.get_by_label("Reason").input_value() == "Audit"


def test_a_list_is_drawn_four_times_a_second_whatever_changes_and_shows_the_last_change(
    busy: Any,
) -> None:
    seen = busy.evaluate(DRAWN, [CHANGES, CHANGE_MS, 10])
    assert 1 <= seen["drawn"] <= seen["seconds"] * 1000 / DRAWN_MS + 2, seen
    busy.get_by_role("row").filter(has_text=seen["last"]).get_by_text("Done").wait_for()


def test_nothing_moves_in_a_list_of_running_pipelines(busy: Any) -> None:
    assert busy.locator("td .icon-run").count() == ROWS
    assert busy.evaluate(ANIMATIONS) == 0


def test_what_many_ends_may_have_changed_is_asked_for_once(tabs: Tabs) -> None:
    page = tabs.open("/years/2024")
    page.get_by_text("Live").first.wait_for()
    page.locator("[aria-busy=true]").first.wait_for(state="detached")
    page.evaluate(TAKE, many(ENDS))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    seconds = page.evaluate(END, [ENDS, CHANGE_MS])
    totals = comes(page, lambda: asked.count("/v1/years/2024/totals"), bool)
    assert 1 <= totals <= 2 + seconds
    assert asked.count("/v1/years/2024/uploads") == totals
    # The stream tells of the year itself.
    assert "/v1/years/2024" not in asked


def test_a_year_shows_what_is_live_beyond_what_the_stream_names(tabs: Tabs) -> None:
    """Of more live pipelines than the stream follows, the page asks for those of its badges."""
    buildings = {"year": 2024, "module": "MODULE_BUILDINGS"}
    live = row(1, "PIPELINE_STATUS_RUNNING", "1000001", scope=buildings)
    named = {**many(1)[0], "version": "2"}
    active = [{"module": buildings["module"], "active": live}]
    tabs.context.route(
        "**/active-pipelines?*", lambda route: route.fulfill(json={"modules": active})
    )
    known = {"1000001": {**live, "version": "2", "status": DONE}, "1000000": named}
    tabs.context.route(
        re.compile(r"/v1/pipelines/100000\d$"),
        lambda route: route.fulfill(json={"pipeline": known[route.request.url[-7:]], "jobs": []}),
    )
    page = tabs.open("/years/2024")
    tile = page.locator(".tile", has=page.get_by_role("heading", name="Buildings"))
    badge = tile.get_by_role("button", name="Recalculating, step 1 of 3")
    badge.wait_for()
    settled(page)
    # It has ended, and nobody told so: the page asks again as soon as anything ends.
    active.clear()
    page.evaluate(MORE_LIVE, named)
    page.get_by_role("status").filter(has_text="2 or more running").wait_for()
    page.evaluate(TAKE, [{**named, "version": "3", "status": DONE}])
    badge.wait_for(state="detached")


@pytest.mark.usefixtures("flown")
def test_a_tab_that_nobody_sees_asks_anew_once_it_is_seen(tabs: Tabs) -> None:
    page = tabs.open("/years/2024")
    page.locator(".headline[aria-busy=false]").wait_for()
    settled(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.evaluate(SEEN, "hidden")
    page.evaluate(TAKE, many(1))
    page.evaluate(END, [1, CHANGE_MS])
    page.locator(".headline[aria-busy=true]").wait_for()
    assert asked == []
    page.evaluate(SEEN, "visible")
    page.locator(".headline[aria-busy=false]").wait_for()
    assert asked.count("/v1/years/2024/totals") == 1
