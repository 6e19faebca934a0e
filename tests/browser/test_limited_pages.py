"""What a caller with limited units sees: pages ask for what is theirs, and say what is not."""

import re
from typing import Any

import pytest

from tests.browser.axe_in_every_look import axe_finds
from tests.browser.conftest import Tabs
from tests.browser.settling import settled

UNITS = ("0828", "0900")
SUMS = dict.fromkeys(("ghg_scope_1_kg", "ghg_scope_2_kg", "ghg_scope_3_kg"), 0.0)
WHOLE = {**SUMS, "total_kg": 1200.0, "entries_without_kg": "1"}


def limited(route: Any) -> None:
    everything = {"name": "ann", "tenants": ["local"], "roles": ["ROLE_OPERATOR"], "modules": []}
    route.fulfill(json={**everything, "all_modules": True, "all_units": False, "units": UNITS})


def totals(route: Any) -> None:
    rows = [
        {
            **WHOLE,
            "module": "MODULE_PROFESSIONAL_TRAVEL",
            "unit": unit,
            "unit_name": unit,
            "entry_count": "2",
            "by_emission_type": {},
        }
        for unit in UNITS
    ]
    known = {"institution": WHOLE, "unit_totals": rows, "freshness": [], "years": [2024]}
    route.fulfill(json={"module_totals": rows, **known})


def report(route: Any) -> None:
    nodes = [
        {
            "unit": unit,
            "unit_name": f"Unit {unit}",
            "parent_unit": parent,
            "level": level,
            "own_kg": 1.0,
            "own_kg_exact": "1",
            "with_units_below": WHOLE,
        }
        for level, (unit, parent) in enumerate((("0828", ""), ("0900", "0828")))
    ]
    known = {"whole": WHOLE | {"kg_per_fte": 600.0}, "modules": [], "nodes": []}
    route.fulfill(json={"unit_tree": nodes, "units_of_others_count": 2, **known})


@pytest.fixture
def asked() -> list[str]:
    """The addresses that pages ask for."""
    return []


@pytest.fixture
def theirs(tabs: Tabs, asked: list[str]) -> Tabs:
    """Tabs of a caller with UNITS, who is answered as the services would."""

    def answered(answer: Any) -> Any:
        def answer_and_note(route: Any) -> None:
            asked.append(route.request.url)
            answer(route)

        return answer_and_note

    tabs.context.route("**/v1/me", limited)
    tabs.context.route(re.compile(r"/v1/years/\d+/totals\?"), answered(totals))
    tabs.context.route(re.compile(r"/v1/years/\d+/report\?"), answered(report))
    tabs.context.route(re.compile(r"/v1/years/\d+/uploads\?"), answered(nothing("uploads")))
    tabs.context.route(re.compile(r"/v1/emissions\?"), answered(nothing("rows")))
    return tabs


def nothing(name: str) -> Any:
    """An empty list."""
    empty: dict[str, Any] = {name: [], "next_page_token": "", "deleted_upload_ids": []}
    return lambda route: route.fulfill(json=empty)


def test_files_of_their_totals_are_linked(theirs: Tabs) -> None:
    page = theirs.open("/totals?year=2024")
    page.get_by_role("link", name="JSON").wait_for()
    settled(page)
    links = page.locator("main a[download]").evaluate_all(
        "(all) => all.map((one) => one.pathname + one.search)"
    )
    assert links == [
        "/v1/years/2024/uncomputed.csv",
        "/v1/years/2024/unit_tree.csv",
        "/v1/years/2024/totals.csv",
        "/v1/years/2024/totals?leave_out_others=true",
    ]
    assert axe_finds(page) == {}


def test_they_see_the_tree_of_their_units_and_how_many_are_left_to_others(theirs: Tabs) -> None:
    page = theirs.open("/totals?year=2024")
    left = page.get_by_text("2 units are left to others: they are not in these figures.")
    left.wait_for()
    page.get_by_role("link", name="Unit 0900").wait_for()
    page.get_by_text("t per full-time equivalent").wait_for()
    page.get_by_role("region", name="tree").get_by_role("link", name="Unit 0828").click()
    page.get_by_role("heading", name="Totals 2024: Unit 0828, with your units below").wait_for()
    left.wait_for()
    settled(page)
    assert axe_finds(page) == {}


def test_each_page_asks_for_what_is_theirs_in_one_request(theirs: Tabs, asked: list[str]) -> None:
    paths = ("totals?year=2024", "totals?year=2024&unit=0828", "years/2024", "explain?year=2024")
    for path in (*paths, "explain?pipeline=7"):
        page = theirs.open(f"/{path}")
        page.get_by_role("heading", level=1).wait_for()
        settled(page)
        page.close()
    names = {re.sub(r".*/v1/(years/\d+/)?(\w+).*", r"\2", one) for one in asked}
    assert names == {"totals", "report", "uploads", "emissions"}
    assert all("leave_out_others=true" in one for one in asked)
    # As many as for who may see all: none for each unit of theirs.
    assert [one for one in asked if "unit=" in one] == [
        one for one in asked if "/report?" in one and "unit=0828" in one
    ]
