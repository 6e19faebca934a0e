"""The tree of units on the page Totals: sums with units below, opened and closed by keyboard."""

from typing import Any

import pytest

from tests.browser.axe_in_every_look import axe_finds
from tests.browser.conftest import Site, Tabs
from tests.browser.settling import settled
from tests.browser.test_upload_check import FACTORS, HEADER, written

YEAR = 2033
UNITS = (
    "unit_institutional_id,name,parent_unit_id",
    "SCI,Science,",
    "PHY,Physics,SCI",
    "OPT,Optics,PHY",
    "LAW,Law,",
)
KG_OF_A_TRIP = 407.5926178213096 * 0.2
CAPTION = "The units in their tree"


@pytest.fixture(scope="session")
def tree_of_units(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A year whose only trips are of Optics, three, of Science, one, and of Law, one."""
    folder = tmp_path_factory.mktemp("tree")
    trips = [f"{unit},GVA,CDG,a{n},economy" for n, unit in enumerate(("OPT",) * 3 + ("SCI", "LAW"))]
    with site.client() as client:
        client.load_units(written(folder, "units.csv", UNITS), year=YEAR)
        client.load_factors(
            written(folder, "factors.csv", FACTORS.splitlines()), "plane", year=YEAR
        )
        client.submit_file(written(folder, "trips.csv", [HEADER, *trips]), "plane", year=YEAR)


def shown(page: Any) -> list[str]:
    rows = page.get_by_role("region", name=CAPTION).locator("tbody tr:visible th a")
    return list(rows.all_inner_texts())


@pytest.mark.usefixtures("tree_of_units")
def test_rows_of_the_tree_open_and_close_by_keyboard(tabs: Tabs) -> None:
    page = tabs.open(f"/totals?year={YEAR}")
    settled(page)
    turn = page.get_by_role("button", name="Units below Physics")
    turn.wait_for()
    assert shown(page) == ["Law", "Science", "Physics"]
    assert turn.get_attribute("aria-expanded") == "false"
    turn.focus()
    page.keyboard.press("Enter")
    assert shown(page) == ["Law", "Science", "Physics", "Optics"]
    assert turn.get_attribute("aria-expanded") == "true"
    # What is open below stays open, and is hidden with the unit above.
    page.get_by_role("button", name="Units below Science").focus()
    page.keyboard.press("Space")
    assert shown(page) == ["Law", "Science"]
    page.keyboard.press("Space")
    assert shown(page) == ["Law", "Science", "Physics", "Optics"]
    page.get_by_role("button", name="Close all").click()
    assert shown(page) == ["Law", "Science"]


@pytest.mark.usefixtures("tree_of_units")
def test_a_unit_is_summed_with_those_below_it_and_stands_alone_beside(tabs: Tabs) -> None:
    page = tabs.open(f"/totals?year={YEAR}")
    settled(page)
    tree = page.get_by_role("region", name=CAPTION)
    row = tree.locator("tr", has=page.get_by_role("link", name="Science"))
    row.wait_for()
    assert [float(one) for one in row.locator("td").all_inner_texts()[:2]] == pytest.approx(
        [KG_OF_A_TRIP * 4 / 1000, KG_OF_A_TRIP / 1000], rel=1e-2
    )
    tree.get_by_role("link", name="Science").click()
    page.get_by_role("heading", name="Totals 2033: Science, with all units below").wait_for()
    settled(page)
    assert float(page.locator(".figure").inner_text()) == pytest.approx(
        KG_OF_A_TRIP * 4 / 1000, rel=1e-2
    )
    page.get_by_role("link", name="Totals 2033", exact=True).click()
    page.get_by_role("heading", name="Totals 2033", exact=True).wait_for()


@pytest.mark.usefixtures("tree_of_units")
def test_paper_shows_the_whole_tree(tabs: Tabs) -> None:
    page = tabs.open(f"/totals?year={YEAR}")
    settled(page)
    page.get_by_role("button", name="Units below Physics").wait_for()
    page.emulate_media(media="print")
    assert shown(page) == ["Law", "Science", "Physics", "Optics"]


@pytest.mark.usefixtures("tree_of_units")
def test_axe_finds_nothing_in_the_tree_nor_in_a_unit(tabs: Tabs) -> None:
    for path in (f"/totals?year={YEAR}", f"/totals?year={YEAR}&unit=SCI"):
        page = tabs.open(path)
        settled(page)
        page.get_by_role("button", name="Units below Physics").wait_for()
        assert axe_finds(page) == {}
        page.close()


def test_a_unit_that_is_not_there_is_told_in_a_sentence(tabs: Tabs) -> None:
    tabs.expected = ("404",)
    page = tabs.open("/totals?year=2024&unit=nowhere")
    page.get_by_role("alert").get_by_text("nowhere").wait_for()
