"""What a screen reader is told: Chromium's accessibility tree of each page, and what is said.

The files in heard/ hold, of each page, the lines that must be told, in their order: roles, names
and states, with N for numbers. They are read by people. No program hears whether they are good.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carbonline.v1 import types_pb2
from tests.browser.conftest import Tabs
from tests.browser.keyboard import press_on
from tests.browser.scripted_stack import SCOPE, Scripted
from tests.browser.settling import comes, settled

HEARD = Path(__file__).parent / "heard"
PAGES = {
    "login": "/login",
    "year": "/years/2024",
    "upload": "/upload?year=2024",
    "pipelines": "/pipelines",
    "pipeline": "/pipelines/1",
    "totals": "/totals?year=2024",
    "rejected": "/rejected/{flown}",
    "health": "/health",
}
LINE = re.compile(
    r"""^\s*- '?(?P<role>[a-z]+)(?: "(?P<name>(?:[^"\\]|\\.)*)")?(?P<states>(?: \[[^\]]*\])*)"""
)
# What somebody acts on, and by what they find their way.
ACTED_ON = {"button", "checkbox", "combobox", "link", "searchbox", "spinbutton", "textbox"}
FOUND_BY = {"banner", "heading", "main", "navigation", "region", "search", "table", "columnheader"}
KEPT = ACTED_ON | FOUND_BY | {"alert", "status", "progressbar"}
# Links whose names are data.
OF_DATA = re.compile(r"^[N., ]+$|\.csv|Inc\.|Airlines|Airways|Air$|America$")
# Each text of a live region, whenever it changes.
RECORD = """() => {
    window.said = [];
    const live = '[aria-live], [role=status], [role=alert]';
    const note = () => {
        for (const one of document.querySelectorAll(live)) {
            const text = one.textContent.trim().replace(/\\s+/g, ' ');
            if (text && text !== one.heardText) window.said.push(text);
            one.heardText = text;
        }
    };
    note();
    const all = { subtree: true, childList: true, characterData: true };
    new MutationObserver(note).observe(document.body, all);
}"""


def things_in(page: Any) -> Iterator[tuple[str, str, str]]:
    """Role, name and states of each thing in the page, in reading order."""
    for line in page.locator("body").aria_snapshot().splitlines():
        if found := LINE.match(line):
            yield found["role"], found["name"] or "", found["states"].strip()


def lines_of(page: Any) -> list[str]:
    """What is told, without links whose names are data."""
    lines = []
    for role, name, states in things_in(page):
        short = re.sub(r"\d+", "N", name)
        if role in KEPT and not (role == "link" and OF_DATA.search(short)):
            lines.append(" ".join(filter(None, (role, f'"{short}"' if short else "", states))))
    return lines


def missing(wanted: list[str], found: list[str]) -> list[str]:
    """The lines that are wanted and not found, each below the one before."""
    rest = iter(found)
    return [line for line in wanted if line not in rest]


@pytest.fixture(scope="module")
def addresses(site: Any, some_flights: Path) -> dict[str, str]:
    """The pages, with the numbers of this stack."""
    with site.client() as client:
        flown = client.submit_file(some_flights, "plane", year=2024).pipeline_id
    return {name: path.format(flown=flown) for name, path in PAGES.items()}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_tells_what_it_holds(new_tabs: Any, addresses: dict[str, str], name: str) -> None:
    page = new_tabs(timezone_id="UTC").open(addresses[name])
    settled(page)
    wanted = (HEARD / f"{name}.txt").read_text("utf-8").splitlines()
    found = comes(page, lambda: lines_of(page), lambda lines: not missing(wanted, lines))
    assert not missing(wanted, found), "\n".join(found)
    for role, text, states in things_in(page):
        assert text or role not in ACTED_ON, (role, states)
        # A region or a table without a name is one among many.
        assert text or role not in ("heading", "navigation", "region", "table"), (role, states)


def test_what_happens_to_an_upload_is_said_and_no_more(scripted: Scripted, as_role: Any) -> None:
    tabs: Tabs = as_role("operator")
    page = tabs.open("/pipelines")
    page.get_by_text("Live").first.wait_for()
    page.evaluate(RECORD)
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    page.get_by_text("Live, 1 running").wait_for()
    (job,) = scripted.run(scripted.driver.claim("noop"))
    page.get_by_role("row", name="Running").wait_for()
    scripted.run(scripted.driver.finish(job, types_pb2.JOB_RESULT_ERROR))
    page.locator("[aria-live=polite]", has_text="Failed").wait_for()
    number = answer.pipeline_id
    said = page.evaluate("window.said")
    ends = [f"Pipeline {number}: Failed"]
    assert sorted(said) == sorted(["Live", "Live, 1 running", "Live", *ends]), said
    # What is refused is said at once, where somebody acts.
    press_on(page, page.get_by_role("link", name=str(number), exact=True))
    page.get_by_role("heading", level=1).get_by_text(f"Pipeline {number}").wait_for()
    assert page.title().startswith(f"Pipeline {number}")
    tabs.expected = ("404",)
    page.goto(f"{scripted.url}/pipelines/999999")
    page.get_by_role("alert").get_by_text("999999").wait_for()


def test_the_tree_says_which_regions_speak(tabs: Tabs) -> None:
    """As Chromium tells assistive technology, not as the page's own attributes have it."""
    page = tabs.open("/pipelines")
    page.get_by_text("Live").first.wait_for()
    settled(page)
    session = tabs.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    speaking = {
        (node["role"]["value"], one["value"]["value"])
        for node in nodes
        for one in node.get("properties", [])
        if one["name"] == "live" and one["value"]["value"] != "off"
    }
    assert ("status", "polite") in speaking
    assert {urgency for _, urgency in speaking} == {"polite"}
