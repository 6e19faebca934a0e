"""Narrow screens, and the edges of wide ones, with long names, numbers and files."""

from dataclasses import dataclass
from typing import Any

import pytest

from carbonline.command.demo import find_files
from tests.browser.axe_in_every_look import NARROW, WIDER, axe_finds
from tests.browser.conftest import Site, Tabs
from tests.browser.settling import settled

YEAR = 2022
LONG = "Departement für Wärmeleitfähigkeitsuntersuchungen, Mikroskopie und Nanotechnologie"
UNITS = {"0828": LONG, "0829": "Laboratoire-d-electrophysiologie-experimentale-et-clinique"}
FILE = "reisen_der_angehörigen_und_gäste_" + 4 * "konsolidiert_endgültig_" + "v2.csv"
HEAD = "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class,"
# With these trips the year has millions of kilograms.
TRIPS = 2_500


@dataclass(frozen=True)
class Account:
    """A year with long names, and pipelines of it: one that counts, and one that failed."""

    counts: int
    failed: int
    upload: int


@pytest.fixture(scope="module")
def account(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """Units and files with long names, kilograms of seven digits, rejected rows, and a failure."""
    folder = tmp_path_factory.mktemp("long")
    units = folder / "units.csv"
    rows = "".join(f'{unit},"{name}"\n' for unit, name in UNITS.items())
    # A list of units is whole: those of the other years stay in it.
    units.write_text((find_files() / "units.csv").read_text("utf-8") + rows, "utf-8")
    trips = folder / FILE
    good = "".join(f"{unit},EWR,LAX,p{n},economy,{TRIPS}\n" for unit in UNITS for n in range(2))
    trips.write_text(HEAD + "number_of_trips\n" + good + "0828,EWR,LAX,p9,economy,0\n", "utf-8")
    empty = folder / f"nothing_{FILE}"
    empty.write_text(HEAD + "number_of_trips\n0828,EWR,LAX,p9,economy,0\n", "utf-8")
    with site.client() as client:
        client.load_units(units, year=YEAR)
        client.load_factors(find_files() / "factors_plane_2024.csv", "plane", year=YEAR)
        sent = client.submit_file(trips, "plane", year=YEAR)
        failed = client.submit_file(empty, "plane", year=YEAR, source="travel agency")
        [upload] = client.uploads(YEAR)
    return Account(sent.pipeline_id, failed.pipeline_id, upload.upload_id)


PAGES = (
    "/years/{year}",
    "/upload?year={year}",
    "/pipelines?year={year}",
    "/pipelines/{counts}",
    "/pipelines/{failed}",
    "/totals?year={year}",
    "/totals?year={year}&unit=0828",
    "/explain?year={year}",
    "/explain?upload={upload}",
    "/rejected/{counts}",
    "/health",
    "/mappings",
)


@pytest.mark.parametrize("path", PAGES)
def test_long_names_and_large_numbers_fit_on_a_narrow_screen(
    new_tabs: Any, account: Account, path: str
) -> None:
    tabs: Tabs = new_tabs(viewport=NARROW)
    numbers = {name: getattr(account, name) for name in ("counts", "failed", "upload")}
    page = tabs.open(path.format(year=YEAR, **numbers))
    settled(page)
    for opened in page.locator("main details").all():
        opened.evaluate("(one) => { one.open = true; }")
    assert page.evaluate(WIDER) == []
    assert axe_finds(page) == {}


def test_the_account_is_as_large_as_the_pages_are_tested_for(
    new_tabs: Any, account: Account
) -> None:
    """Else the test above could not fail."""
    page = new_tabs(viewport=NARROW).open(f"/years/{YEAR}")
    settled(page)
    total = page.locator("#year-total")
    total.wait_for()
    kilograms = float(total.inner_text().replace(",", "")) * 1000
    assert kilograms >= 1_000_000
    page.get_by_text(FILE).wait_for()
    page.get_by_role("button", name="Failed: Plane").focus()
    panel = page.locator(".panel:not([hidden])", has_text=f"Pipeline {account.failed}")
    panel.wait_for()
    assert page.evaluate(WIDER) == []
    page.goto(page.url.replace("/years/", "/totals?year="))
    page.get_by_text(LONG).first.wait_for()


def test_an_explanation_is_whole_wherever_its_badge_stands(new_tabs: Any, account: Account) -> None:
    page = new_tabs().open(f"/years/{YEAR}")
    settled(page)
    badge = page.get_by_role("button", name="Failed: Plane")
    panel = page.locator(".panel:not([hidden])", has_text=f"Pipeline {account.failed}")
    places = set()
    for width in (700, 1000, 1280, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        badge.focus()
        panel.wait_for()
        begins, box = badge.bounding_box()["x"], panel.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert page.evaluate(WIDER) == []
        places.add(box["x"] < begins - 1)
        badge.blur()
        panel.wait_for(state="detached")
    # Else none of them stands at the edge.
    assert places == {False, True}
