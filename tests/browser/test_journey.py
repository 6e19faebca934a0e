"""From a file to totals in the console, by keyboard; and what the badge shows meanwhile."""

from pathlib import Path
from typing import Any

from carbonline.command.demo import find_files
from tests.browser.conftest import Tabs
from tests.browser.keyboard import choose, press_on, tab_to
from tests.browser.scripted_stack import SCOPE, Scripted

TRAVEL = "Professional travel"
# What the badge may show, in this order; a step may be over before anybody looked.
ALLOWED = (
    "No data yet",
    "Up to date",
    "Recalculating, step 1 of 3",
    "Recalculating, step 2 of 3",
    "Recalculating, step 3 of 3",
    "Up to date",
)
RECORD = """(module) => {
    const tiles = [...document.querySelectorAll('.tile')];
    const tile = tiles.find((one) => one.textContent.includes(module));
    const all = { subtree: true, childList: true, characterData: true };
    window.seen = [];
    const note = () => {
        const text = tile.querySelector('.badge-text').textContent;
        if (window.seen.at(-1) !== text) window.seen.push(text);
    };
    note();
    window.done = new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error(window.seen.join(' > '))), 100000);
        const look = () => {
            note();
            if (window.seen.length > 1 && window.seen.at(-1) === 'Up to date') resolve();
        };
        new MutationObserver(look).observe(tile, all);
    });
}"""


def in_order(seen: list[str]) -> bool:
    """Whether what was seen is a part of ALLOWED in its order."""
    rest = iter(ALLOWED)
    return all(one in rest for one in seen)


def test_a_file_becomes_totals_by_keyboard_alone(stranger: Tabs, some_flights: Path) -> None:
    """From the login on nothing puts the focus anywhere but Tab, and what the page itself does."""
    stranger.expected = ("401",)
    page = stranger.open("/upload?year=2024")
    # From now on Chromium tells of choosers: if it began with the key, it could be late.
    page.on("filechooser", lambda _chooser: None)
    tab_to(page, page.get_by_label("Token"))
    page.keyboard.type(stranger.site.token)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Upload a file").wait_for()
    choose(page, page.get_by_label("Data-entry type"), "DATA_ENTRY_TYPE_PLANE")
    tab_to(page, page.get_by_label("File"))
    with page.expect_file_chooser() as opened:
        page.keyboard.press("Enter")
    opened.value.set_files(some_flights)
    press_on(page, page.get_by_role("button", name="Upload and compute"))
    page.get_by_text("Done, with warnings").first.wait_for()
    press_on(page, page.get_by_role("link", name="rejected rows"))
    page.get_by_role("rowheader", name="number_of_trips: must be at least 1").first.wait_for()
    # Whoever comes to a page is in it: the links to other pages are before it.
    press_on(page, page.get_by_role("link", name="Totals", exact=True), back=True)
    page.get_by_role("heading", name="Totals 2024").wait_for()
    # Where units are below one another, the tree has a row of it, too.
    by_unit = page.get_by_role("table", name="By unit, largest first")
    by_unit.get_by_role("row", name="United Air Lines Inc.").wait_for()
    # An upload waits while its type is paused: there is time to cancel it.
    paused(page, stranger, "pause")
    try:
        cancel_an_upload(page, some_flights)
    finally:
        paused(page, stranger, "resume")


def paused(page: Any, tabs: Tabs, verb: str) -> None:
    """Pauses or resumes the type of jobs that reads files."""
    answer = page.request.post(
        f"{tabs.site.url}/v1/job-types/csv_ingest:{verb}",
        headers={"authorization": f"Bearer {tabs.site.token}"},
        data={"reason": "A test"} if verb == "pause" else {},
    )
    assert answer.ok, answer.text()


def cancel_an_upload(page: Any, file: Path) -> None:
    press_on(page, page.get_by_role("link", name="Upload", exact=True), back=True)
    choose(page, page.get_by_label("Data-entry type"), "DATA_ENTRY_TYPE_TRAIN")
    tab_to(page, page.get_by_label("File"))
    with page.expect_file_chooser() as opened:
        page.keyboard.press("Enter")
    opened.value.set_files(file)
    press_on(page, page.get_by_role("button", name="Upload and compute"))
    press_on(page, page.get_by_role("link", name="Open", exact=True))
    press_on(page, page.get_by_role("button", name="Cancel"))
    # The focus is at the safe choice; the reason is before it.
    page.locator("button:focus", has_text="Leave it").wait_for()
    tab_to(page, page.get_by_label("Reason"), back=True)
    page.keyboard.type("Sent twice")
    press_on(page, page.locator("button.danger"))
    page.get_by_role("heading", level=1).get_by_text("Cancelled").wait_for()
    press_on(page, page.get_by_text("Timeline"))
    page.get_by_text("Sent twice").first.wait_for()


def test_the_badge_goes_from_recalculating_to_up_to_date_in_every_tab(tabs: Tabs) -> None:
    pages = [tabs.open("/years/2023") for _ in range(2)]
    for page in pages:
        page.get_by_text("Live").first.wait_for()
        # The events may begin before the modules are known.
        page.locator(".tile", has_text=TRAVEL).first.wait_for()
        page.evaluate(RECORD, TRAVEL)
    with tabs.site.client() as client:
        # Large enough to be seen on its way: the gateway looks once a second.
        client.submit_file(find_files() / "flights.csv.gz", "plane", year=2023)
    for page in pages:
        page.evaluate("window.done")
        seen = page.evaluate("window.seen")
        assert in_order(seen), seen
        assert any(one.startswith("Recalculating") for one in seen), seen


def test_the_diagnosis_opens_on_focus_and_escape_closes_it_for_good(tabs: Tabs) -> None:
    page = tabs.open("/years/2024")
    badge = page.get_by_role("button", name="No data yet").first
    badge.focus()
    panel = page.get_by_text("No upload counts for this module and year yet.").first
    panel.wait_for()
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    page.get_by_text("Live").first.wait_for()
    assert badge.get_attribute("aria-expanded") == "false"
    page.keyboard.press("Tab")
    badge.focus()
    panel.wait_for()


def test_what_the_diagnosis_holds_is_reached_by_tab(tabs: Tabs, some_flights: Path) -> None:
    with tabs.site.client() as client:
        client.submit_file(some_flights, "plane", year=2024)
    page = tabs.open("/years/2024")
    page.get_by_role("button", name="Up to date").first.focus()
    page.get_by_role("button", name="Copy number").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Copy number"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Open"


def test_the_ninth_tab_works_like_the_first(scripted: Scripted, as_role: Any) -> None:
    scripted.run(scripted.driver.submit("noop", SCOPE))
    tabs = as_role("monitor")
    pages = [tabs.open("/pipelines") for _ in range(9)]
    for page in pages:
        page.get_by_text("Live, 1 running").wait_for()
    # The tab that reads for all goes away: another takes over, and tells the others.
    pages[0].close()
    scripted.run(scripted.driver.submit("noop", SCOPE))
    for page in pages[1:]:
        page.get_by_text("Live, 2 running").wait_for()
