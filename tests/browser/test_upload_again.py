"""An upload once more: withdrawn, restored, or copied to another year, each after a check."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.axe_in_every_look import axe_finds
from tests.browser.conftest import Site, Tabs
from tests.browser.settling import settled
from tests.browser.test_upload_check import FACTORS, UNITS, YEAR, cell_of, checked_year, trips
from tests.browser.test_upload_check import written as file_with

__all__ = ["checked_year"]

NEXT_YEAR = 2034
LISTED = "**/v1/years/0/uploads**"
UPLOAD = {
    "upload_id": "7",
    "module": "MODULE_PROFESSIONAL_TRAVEL",
    "year": YEAR,
    "data_entry_type": "DATA_ENTRY_TYPE_PLANE",
    "state": "UPLOAD_STATE_COUNTS",
    "file_name": "a.csv",
}


@pytest.fixture(scope="session")
def sent(site: Site, checked_year: Path) -> int:
    """The number of an upload of three trips, and a year after it that is open."""
    folder = checked_year
    with site.client() as client:
        client.load_units(file_with(folder, "next_units.csv", UNITS.splitlines()), year=NEXT_YEAR)
        factors = file_with(folder, "next_factors.csv", FACTORS.splitlines())
        client.load_factors(factors, "plane", year=NEXT_YEAR)
        client.submit_file(trips(folder, 3), "plane", year=YEAR, source="again")
        return next(one.upload_id for one in client.uploads(YEAR, source="again"))


def entries_of(tabs: Tabs, year: int) -> list[int]:
    with tabs.site.client() as client:
        return [one.entries for one in client.uploads(year, source="again")]


def uploaded_from_its_check(page: Any) -> None:
    page.locator(".check-result[aria-busy=false]").wait_for()
    page.get_by_role("button", name="Upload it").press("Enter")
    page.get_by_role("heading", level=1).get_by_text("Done").wait_for()


def test_a_file_is_copied_to_another_year_by_keyboard(tabs: Tabs, sent: int) -> None:
    page = tabs.open(f"/explain?upload={sent}")
    page.get_by_label("For the year").fill(str(NEXT_YEAR))
    page.get_by_label("For the year").press("Enter")
    page.locator(".check-result[aria-busy=false]").wait_for()
    # Nothing is written before somebody says so.
    assert entries_of(tabs, NEXT_YEAR) == []
    assert cell_of(page, "Replaces") == "nothing"
    settled(page)
    assert axe_finds(page) == {}
    uploaded_from_its_check(page)
    assert entries_of(tabs, NEXT_YEAR) == [3]


def test_an_upload_is_withdrawn_and_counts_again(tabs: Tabs, sent: int, checked_year: Path) -> None:
    with tabs.site.client() as client:
        client.submit_file(trips(checked_year, 4), "plane", year=YEAR, source="again")
        (wrong,) = client.uploads(YEAR, source="again")
    page = tabs.open(f"/explain?upload={wrong.upload_id}")
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_text("(4 rows)").wait_for()
    page.locator("button.danger", has_text="Withdraw").click()
    page.get_by_role("heading", level=1).get_by_text("Done").wait_for()
    assert entries_of(tabs, YEAR) == []
    page.goto(f"{tabs.site.url}/explain?year={YEAR}")
    page.get_by_role("link", name="Also what no longer counts").press("Enter")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=f"Upload {sent}"))
    row.get_by_role("cell", name="replaced").wait_for()
    row.get_by_role("link", name=f"Upload {sent}").press("Enter")
    page.get_by_role("button", name="Have it count again").press("Enter")
    uploaded_from_its_check(page)
    assert entries_of(tabs, YEAR) == [3]


def test_a_withdrawal_names_the_unit_of_the_upload(tabs: Tabs) -> None:
    upload = {**UPLOAD, "unit": "0828"}
    asked: list[Any] = []

    def taken(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json={"pipeline_id": "1"})

    tabs.context.route(LISTED, lambda route: route.fulfill(json={"uploads": [upload]}))
    tabs.context.route("**/v1/uploads/7:withdraw", taken)
    page = tabs.open("/explain?upload=7")
    page.get_by_role("button", name="Withdraw").click()
    page.locator("button.danger", has_text="Withdraw").click()
    page.wait_for_url("**/pipelines/1")
    assert [one["unit"] for one in asked] == ["0828"]


def test_who_may_not_upload_is_offered_neither(as_role: Any) -> None:
    tabs: Tabs = as_role("auditor")
    tabs.context.route(LISTED, lambda route: route.fulfill(json={"uploads": [UPLOAD]}))
    page = tabs.open("/explain?upload=7")
    page.get_by_text("a.csv").wait_for()
    settled(page)
    assert page.locator("main button").count() == 0
