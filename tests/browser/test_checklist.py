"""WCAG 2.2 AA, criterion by criterion. What holds on every page is in test_every_page.py.

What a screen reader is told is in test_screen_reader.py; nobody hears it there.
"""

import re
from typing import Any

import pytest

from tests.browser.conftest import Tabs
from tests.browser.scripted_stack import SCOPE, Scripted
from tests.browser.settling import settled
from tests.browser.test_store import row

# Of one page each: headers, tables and focus are the same parts everywhere.
SOME = ("/years/2024", "/upload?year=2024", "/pipelines", "/totals?year=2024", "/health", "/docs")
# The focused element, unless it is seen whole below the header and with an outline.
UNSEEN = """() => {
    const one = document.activeElement;
    const box = one.getBoundingClientRect();
    const header = document.querySelector('header').getBoundingClientRect();
    const style = getComputedStyle(one);
    const inHeader = one.closest('header, .skip');
    const hidden = !inHeader && box.top < header.bottom - 1 && box.bottom > header.top
        && getComputedStyle(document.querySelector('header')).position === 'sticky';
    const lined = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)
        || one.closest('svg');
    const fault = hidden ? 'under the header' : lined ? '' : 'no outline';
    return [one === document.body, fault && `${fault}: ${one.outerHTML.slice(0, 80)}`];
}"""
STATUSES = ("NOT_STARTED", "RUNNING", "SUCCESS", "PARTIAL", "FAILED", "CANCELLED")
TABS_MAX = 60


def opened(tabs: Tabs, path: str) -> Any:
    tabs.expected = ("404",)
    page = tabs.open(path)
    settled(page)
    return page


@pytest.mark.parametrize("path", SOME)
def test_2_4_7_and_2_4_11_the_focus_is_seen_and_never_under_the_header(
    tabs: Tabs, path: str
) -> None:
    page = opened(tabs, path)
    faults = []
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        at_the_end, fault = page.evaluate(UNSEEN)
        if at_the_end:
            break
        faults += [fault] if fault else []
    assert not faults


def test_1_4_13_the_pointer_may_go_into_the_diagnosis_and_escape_closes_it(tabs: Tabs) -> None:
    page = opened(tabs, "/years/2024")
    badge = page.get_by_role("button", name="No data yet").first
    badge.hover()
    panel = page.get_by_text("No upload counts for this module and year yet.").first
    panel.wait_for()
    assert badge.get_attribute("aria-expanded") == "true"
    assert page.locator(f"#{badge.get_attribute('aria-controls')}").is_visible()
    panel.hover()
    page.get_by_role("heading", level=1).hover(trial=True)
    assert panel.is_visible()
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    assert page.get_by_role("tooltip").count() == 0


def test_4_1_3_an_end_is_said_once_and_progress_never(scripted: Scripted, as_role: Any) -> None:
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    page = as_role("monitor").open("/pipelines")
    page.get_by_text("Live").first.wait_for()
    said = page.locator("[aria-live=polite]")
    assert said.count() == 1
    page.get_by_role("row", name="Waiting").wait_for()
    (job,) = scripted.run(scripted.driver.claim("noop"))
    page.get_by_role("row", name="Running").wait_for()
    assert said.inner_text() == ""
    scripted.run(scripted.driver.finish(job))
    page.locator("[aria-live=polite]", has_text=f"Pipeline {answer.pipeline_id}: Done").wait_for()
    assert page.get_by_role("status").count() == 1


def test_1_3_1_the_list_says_its_order_and_its_time_zone(new_tabs: Any) -> None:
    page = new_tabs(timezone_id="Asia/Kathmandu").open("/pipelines")
    settled(page)
    page.locator("th[aria-sort=descending]").wait_for()
    assert "Kathmandu" in page.locator("caption").inner_text().replace("Katmandu", "Kathmandu")


def test_1_4_1_every_status_has_a_sign_and_a_word_of_its_own(tabs: Tabs) -> None:
    page = opened(tabs, "/login")
    draw = """async (rows) => {
        const at = document.querySelector('script[src$="/main.js"]').src.replace('main.js', '');
        const { render } = await import('preact');
        const { html } = await import(`${at}html.js`);
        const { StatusBadge } = await import(`${at}parts/badge.js`);
        const box = document.createElement('div');
        return rows.map((row) => {
            render(html`<${StatusBadge} row=${row} key=${row.status} />`, box);
            return [box.querySelector('path').getAttribute('d'), box.textContent.trim()];
        });
    }"""
    drawn = page.evaluate(draw, [row(1, f"PIPELINE_STATUS_{one}") for one in STATUSES])
    words = [word for _, word in drawn]
    assert len(set(words)) == len(STATUSES)
    # What needs somebody differs in its sign, too, from what does not.
    signs = dict(zip(STATUSES, (sign for sign, _ in drawn), strict=True))
    assert len({signs[one] for one in ("RUNNING", "SUCCESS", "PARTIAL", "FAILED")}) == 4


def test_3_3_1_a_refused_login_says_why_takes_the_focus_and_keeps_what_was_typed(
    stranger: Tabs,
) -> None:
    stranger.expected = ("401",)
    page = stranger.open("/login")
    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    page.locator(".trouble:focus").wait_for()
    assert page.get_by_label("Token").input_value() == "wrong"


def test_2_2_1_a_login_that_ends_is_told_before(tabs: Tabs) -> None:
    page = opened(tabs, "/years/2024")
    page.get_by_text("Live").first.wait_for()
    say = """async (seconds) => {
        const own = document.querySelector('script[src$="/main.js"]').src;
        const { caller } = await import(own.replace('main.js', 'store.js'));
        caller.value = { ...caller.value, roles: [], expires_at:
            new Date(Date.now() + seconds * 1000).toISOString() };
    }"""
    page.evaluate(say, 3600)
    assert page.get_by_text("Your login ends").count() == 0
    page.evaluate(say, 100)
    page.get_by_role("alert").filter(has_text="Your login ends at").wait_for()
    again = page.get_by_role("link", name="Log in again")
    assert "next=" in str(again.get_attribute("href"))
    # A login that lasts longer takes the notice away.
    again.press("Enter")
    page.get_by_label("Token").fill(tabs.site.token)
    page.get_by_label("Token").press("Enter")
    page.get_by_role("heading", level=1, name="2024").wait_for()
    settled(page)
    assert page.get_by_text("Your login ends").count() == 0


def test_2_1_4_single_keys_can_be_switched_off(tabs: Tabs) -> None:
    page = opened(tabs, "/years/2024")
    page.keyboard.press("?")
    page.get_by_label("Single keys act").uncheck()
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.keyboard.press("?")
    assert page.url.endswith("/years/2024")
    page.get_by_label("Single keys act").check()
    # What is hidden loses the focus.
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Keyboard"
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.get_by_role("heading", name="Health", exact=True).wait_for()


def test_the_title_says_how_many_run(scripted: Scripted, as_role: Any) -> None:
    for _ in range(2):
        scripted.run(scripted.driver.submit("noop", SCOPE))
    page = as_role("monitor").open("/pipelines")
    page.get_by_text("Live, 2 running").wait_for()
    assert re.match(r"\(2\) Pipelines", page.title())


def test_2_3_3_reduced_motion_stops_what_turns(new_tabs: Any) -> None:
    page = opened(new_tabs(reduced_motion="reduce"), "/login")
    turning = """() => {
        const sign = document.createElement('i');
        sign.className = 'icon-run';
        document.body.append(sign);
        return getComputedStyle(sign).animationName;
    }"""
    assert page.evaluate(turning) == "none"
