"""From a total to the uploads, rows and factors that made it."""

import re
from typing import Any

import pytest

from tests.browser.axe_in_every_look import axe_finds
from tests.browser.conftest import Tabs
from tests.browser.settling import settled
from tests.browser.test_unit_tree import KG_OF_A_TRIP, YEAR, tree_of_units

__all__ = ["tree_of_units"]

pytestmark = pytest.mark.usefixtures("tree_of_units")
ROWS = "Rows with their results"
KEEP_WHAT_IS_COPIED = """() => {
    navigator.clipboard.writeText = async (text) => { window.kept = text; };
}"""
UPLOAD = re.compile(r"^Upload \d+$")


def rows(page: Any) -> list[list[str]]:
    found = page.get_by_role("region", name=ROWS).locator("tbody > tr")
    found.first.wait_for()
    return [one.locator("th, td").all_inner_texts()[:4] for one in found.all()]


def test_a_total_leads_by_keyboard_to_the_rows_that_made_it(tabs: Tabs) -> None:
    page = tabs.open(f"/totals?year={YEAR}")
    settled(page)
    page.get_by_role("link", name="Professional travel").first.press("Enter")
    page.get_by_text("which is the total").wait_for()
    page.get_by_role("link", name=UPLOAD).first.press("Enter")
    settled(page)
    with tabs.site.client() as client:
        (upload,) = client.uploads(year=YEAR)
    total_kg = upload.total_kg or 0.0
    assert total_kg == pytest.approx(KG_OF_A_TRIP * 5, rel=1e-3)
    kg = f"{total_kg / 5:.3f}"
    assert rows(page) == [
        [str(n + 1), unit, "counts", kg]
        for n, unit in enumerate(("OPT", "OPT", "OPT", "SCI", "LAW"))
    ]
    how = page.locator("details.how").first
    how.locator("summary").press("Enter")
    told = how.inner_text()
    for part in ("version 1", "ef_kg_co2eq_per_km", "0.2", "GVA", f"{kg} kg", "kg = D *", "plane-"):
        assert part in told, (part, told)
    page.evaluate(KEEP_WHAT_IS_COPIED)
    how.get_by_role("button", name="Copy as text").press("Enter")
    how.get_by_role("button", name="Copied").wait_for()
    kept = page.evaluate("() => window.kept")
    assert "kg = D *" in kept
    assert "version 1" in kept
    assert "Copy as text" not in kept


def test_the_rows_of_one_unit_are_chosen_in_the_address(tabs: Tabs) -> None:
    page = tabs.open(f"/totals?year={YEAR}&unit=SCI")
    settled(page)
    page.get_by_role("link", name="Rows of this unit alone").click()
    page.get_by_text("its link shows those of SCI").wait_for()
    page.get_by_role("link", name=UPLOAD).first.click()
    settled(page)
    assert [row[:2] for row in rows(page)] == [["4", "SCI"]]
    page.get_by_label("Unit").fill("law")
    page.get_by_label("Unit").press("Tab")
    page.wait_for_url("**unit=law**")
    settled(page)
    page.get_by_role("region", name=ROWS).get_by_text("LAW").wait_for()
    assert [row[:2] for row in rows(page)] == [["5", "LAW"]]


def test_a_node_of_the_emission_tree_leads_by_keyboard_to_its_rows(tabs: Tabs) -> None:
    page = tabs.open(f"/totals?year={YEAR}&node=professional_travel.plane")
    settled(page)
    parts = page.get_by_role("region", name="What it is made of").last
    parts.get_by_role("link", name="Rows Economy").press("Enter")
    page.get_by_role("heading", name="Professional travel \u203a Plane \u203a Economy").wait_for()
    page.get_by_text("which is the total").wait_for()
    page.get_by_role("link", name=UPLOAD).first.press("Enter")
    page.get_by_text("Only emissions of Professional travel").wait_for()
    settled(page)
    assert len(rows(page)) == 5
    assert "emission_type=professional_travel.plane.eco" in page.get_by_role(
        "link", name="CSV"
    ).get_attribute("href")
    assert axe_finds(page) == {}
    # Of another node it has none.
    page.goto(page.url.replace("plane.eco", "train"))
    page.get_by_text("There are no such rows.").wait_for()


def test_a_pipeline_leads_to_its_rows(tabs: Tabs) -> None:
    with tabs.site.client() as client:
        (upload,) = client.uploads(year=YEAR)
    page = tabs.open(f"/pipelines/{upload.pipeline_id}")
    page.get_by_role("link", name=ROWS, exact=True).click()
    page.get_by_role("heading", name=f"Rows of pipeline {upload.pipeline_id}").wait_for()
    settled(page)
    assert len(rows(page)) == 5


def test_what_is_not_there_is_said(tabs: Tabs) -> None:
    page = tabs.open("/explain?upload=999999")
    page.get_by_text("There are no such rows.").wait_for()
    page = tabs.open("/explain?year=1999")
    page.get_by_text("No upload counts.").wait_for()


def test_axe_finds_nothing_where_numbers_are_explained(tabs: Tabs) -> None:
    with tabs.site.client() as client:
        (upload,) = client.uploads(year=YEAR)
    for path in (f"/explain?year={YEAR}", f"/explain?upload={upload.upload_id}"):
        page = tabs.open(path)
        settled(page)
        page.locator("tbody tr").first.wait_for()
        page.locator("details.how").evaluate_all("(all) => all.forEach((one) => one.open = true)")
        assert axe_finds(page) == {}, path
        page.close()
