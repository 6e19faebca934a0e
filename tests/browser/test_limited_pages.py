"""What a caller with several units sees on pages that are made of an answer for each of them."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.axe_in_every_look import axe_finds
from tests.browser.conftest import Tabs
from tests.browser.settling import settled

UNITS = ("0828", "gone", "0900")
NOT_FOUND = {"title": "Not found", "reason": "UNIT_NOT_FOUND", "status": 404}


def unit_of(route: Any) -> str:
    return parse_qs(str(urlsplit(route.request.url).query))["unit"][0]


def limited(route: Any) -> None:
    everything = {"name": "ann", "tenants": ["local"], "roles": ["ROLE_OPERATOR"], "modules": []}
    route.fulfill(json={**everything, "all_modules": True, "all_units": False, "units": UNITS})


def totals(route: Any) -> None:
    sums = dict.fromkeys(("ghg_scope_1_kg", "ghg_scope_2_kg", "ghg_scope_3_kg"), 0.0)
    unit = unit_of(route)
    row = {
        **sums,
        "module": "MODULE_PROFESSIONAL_TRAVEL",
        "unit": unit,
        "unit_name": unit,
        "total_kg": 1200.0,
        "entry_count": "2",
        "entries_without_kg": "1",
        "by_emission_type": {},
    }
    rows = [] if unit == "gone" else [row]
    route.fulfill(json={"module_totals": rows, "freshness": [], "years": [2024]})


def emissions(route: Any) -> None:
    unit = unit_of(route)
    if unit == "gone":
        route.fulfill(status=404, json=NOT_FOUND)
        return
    row: dict[str, Any] = {"upload_id": "7", "row_number": "1", "unit": unit, "state": "computed"}
    more: dict[str, Any] = {"data_entry_type": "", "emissions": [], "columns": {}}
    answer = {"rows": [row | more], "next_page_token": "", "deleted_upload_ids": []}
    route.fulfill(json=answer)


@pytest.fixture
def theirs(tabs: Tabs) -> Tabs:
    """Tabs of a caller with UNITS, of which the institution has two."""
    tabs.context.route("**/v1/me", limited)
    tabs.context.route(re.compile(r"/v1/years/\d+/totals\?"), totals)
    tabs.context.route(re.compile(r"/v1/emissions\?"), emissions)
    return tabs


def test_files_of_their_totals_are_linked(theirs: Tabs) -> None:
    page = theirs.open("/totals?year=2024")
    page.get_by_role("link", name="CSV", exact=True).wait_for()
    settled(page)
    links = page.locator("main a[download]").evaluate_all("(all) => all.map((one) => one.pathname)")
    # A file for a program is of all units: the service would refuse it.
    assert links == ["/v1/years/2024/uncomputed.csv", "/v1/years/2024/totals.csv"]
    assert axe_finds(page) == {}


def test_rows_of_a_pipeline_are_those_of_each_of_their_units(theirs: Tabs) -> None:
    theirs.expected = ("404",)
    page = theirs.open("/explain?pipeline=7")
    cells = page.locator("tbody tr > td:nth-of-type(1)")
    seen = []
    more = page.get_by_role("link", name="Next rows")
    more.wait_for()
    settled(page)
    seen += cells.all_inner_texts()
    more.click()
    more.wait_for(state="detached")
    settled(page)
    seen += cells.all_inner_texts()
    assert seen == ["0828", "0900"]


def test_who_has_more_pairs_than_a_page_asks_for_reads_that_sums_are_of_some(tabs: Tabs) -> None:
    units = [f"{unit:04}" for unit in range(41)]

    def many(route: Any) -> None:
        response = {"name": "ann", "tenants": ["local"], "roles": ["ROLE_OPERATOR"]}
        modules = {"all_modules": True, "modules": []}
        route.fulfill(json={**response, **modules, "all_units": False, "units": units})

    asked: list[str] = []

    def noted(route: Any) -> None:
        asked.append(unit_of(route))
        totals(route)

    tabs.context.route("**/v1/me", many)
    tabs.context.route(re.compile(r"/v1/years/\d+/totals\?"), noted)
    page = tabs.open("/totals?year=2024")
    page.get_by_text("Sums are of the first 40 of its 41 pairs").wait_for()
    settled(page)
    assert set(asked) == set(units[:40])
