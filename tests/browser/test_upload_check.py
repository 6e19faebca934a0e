"""A file is checked before it is uploaded: what would count, and nothing is written."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.axe_in_every_look import WIDER, axe_finds
from tests.browser.conftest import Site, Tabs
from tests.browser.settling import settled

# A year of its own: its uploads are those of these tests.
YEAR = 2031
UNITS = "unit_institutional_id,name\n0828,Physics\n0829,Law\n"
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "all,economy,0.2,1,0,\n"
)
HEADER = "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class"
TRIP = "0828,GVA,CDG,a{n},economy"
FLAWED = (
    f"{HEADER},colour",
    "0828,GVA,CDG,a1,economy,x",
    "0828,CDG,GVA,a1,hammock,x",
    "0829,GVA,XXX,a1,economy,x",
)


@pytest.fixture(scope="session")
def checked_year(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for files, and a year that is open and has factors."""
    folder = tmp_path_factory.mktemp("checked")
    with site.client() as client:
        client.load_units(written(folder, "units.csv", UNITS.splitlines()), year=YEAR)
        client.load_factors(
            written(folder, "factors.csv", FACTORS.splitlines()), "plane", year=YEAR
        )
    return folder


def written(folder: Path, name: str, lines: Any) -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n")
    return file


def trips(folder: Path, count: int) -> Path:
    return written(
        folder, f"{count}_trips.csv", [HEADER, *(TRIP.format(n=n) for n in range(count))]
    )


def uploads(tabs: Tabs) -> list[Any]:
    with tabs.site.client() as client:
        return list(client.uploads(year=YEAR))


def form(tabs: Tabs, file: Path, source: str) -> Any:
    """The form, filled in for a file of a source, whose upload is its own."""
    page = tabs.open(f"/upload?year={YEAR}&type=DATA_ENTRY_TYPE_PLANE")
    page.get_by_label("Source").fill(source)
    page.get_by_label("File").set_input_files(file)
    return page


def checked(tabs: Tabs, file: Path, source: str) -> Any:
    page = form(tabs, file, source)
    page.get_by_role("button", name="Check first").click()
    page.locator(".check-result[aria-busy=false]").wait_for()
    return page


def cell_of(page: Any, head: str) -> str:
    return str(page.locator("table.check tr", has_text=head).locator("td").inner_text())


def test_a_check_says_row_by_row_what_would_count_and_writes_nothing(
    tabs: Tabs, checked_year: Path
) -> None:
    before = uploads(tabs)
    page = checked(tabs, written(checked_year, "flawed.csv", FLAWED), "flawed")
    page.get_by_text("Some rows need a look").wait_for()
    assert cell_of(page, "Rows in the file") == "3"
    assert cell_of(page, "Would count") == "2"
    assert cell_of(page, "Rejected") == "1"
    assert cell_of(page, "Would have no kilograms") == "unknown place: 1"
    assert cell_of(page, "Columns not read") == "colour"
    assert cell_of(page, "Replaces") == "nothing"
    assert cell_of(page, "The file itself") == "0.0815 t CO₂eq"
    # Files of other sources count, too, whichever tests have run before.
    total = re.fullmatch(r"(\S+) t now, (\S+) t with the file.*", cell_of(page, "Plane 2031"))
    assert total
    assert float(total[2]) - float(total[1]) == pytest.approx(0.0815, abs=0.002)
    findings = page.get_by_role("region", name="2 rows to look at").get_by_role("row")
    assert findings.nth(1).get_by_role("cell").all_inner_texts()[:3] == [
        "rejected",
        "cabin_class",
        "hammock",
    ]
    assert findings.nth(2).get_by_role("cell").first.inner_text() == "unknown place"
    assert uploads(tabs) == before


def test_what_was_checked_is_uploaded_by_keyboard_without_sending_it_again(
    tabs: Tabs, checked_year: Path
) -> None:
    page = form(tabs, trips(checked_year, 4), "keyboard")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if "/v1/blobs" in one.url else None)
    # Enter in a field has the file checked, and not uploaded.
    page.get_by_label("Source").press("Enter")
    page.get_by_text("Every row would count").wait_for()
    page.locator("h2:focus", has_text="Check of 4_trips.csv").wait_for()
    for expected in ("In the words of the worker", "Upload it"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent.trim()") == expected
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1).get_by_text("Done").wait_for()
    assert len(sent) == 1
    assert [one.entries for one in uploads(tabs) if one.source == "keyboard"] == [4]


def test_what_would_take_most_away_is_uploaded_with_consent_only(
    tabs: Tabs, checked_year: Path
) -> None:
    with tabs.site.client() as client:
        client.submit_file(trips(checked_year, 10), "plane", year=YEAR, source="shrinks")
    page = checked(tabs, trips(checked_year, 2), "shrinks")
    page.get_by_text("It would be refused without your consent").wait_for()
    assert "10_trips.csv: 10 rows" in cell_of(page, "Replaces")
    assert page.get_by_role("button", name="Upload it", exact=True).count() == 0
    page.get_by_role("button", name="Upload it all the same").click()
    page.get_by_text("Less than half of what counts now would be left.").wait_for()
    page.locator("button.danger", has_text="Upload it all the same").click()
    page.get_by_role("heading", level=1).get_by_text("Done").wait_for()
    assert [one.entries for one in uploads(tabs) if one.source == "shrinks"] == [2]


def test_a_finding_is_of_the_file_that_was_chosen_then(tabs: Tabs, checked_year: Path) -> None:
    page = checked(tabs, trips(checked_year, 3), "another")
    page.get_by_role("button", name="Upload it").wait_for()
    page.get_by_label("Source").fill("yet another")
    page.locator(".check-result").wait_for(state="detached")
    assert page.get_by_role("button", name="Upload it", exact=True).count() == 0
    # What has been chosen stays.
    assert page.get_by_label("File").evaluate("(one) => one.files[0].name") == "3_trips.csv"
    page.get_by_label("Year").fill("2032")
    page.get_by_label("Year").press("Tab")
    page.wait_for_url("**year=2032**")
    assert page.get_by_label("File").evaluate("(one) => one.files[0].name") == "3_trips.csv"


def test_a_file_that_may_be_read_otherwise_is_checked_again_so(
    tabs: Tabs, checked_year: Path
) -> None:
    lines = [f"{HEADER},departure_date,Strecke", f"{TRIP.format(n=1)},24.12.{YEAR},5"]
    page = checked(tabs, written(checked_year, "dates.csv", lines), "dates")
    page.get_by_text("The file would be refused").wait_for()
    page.get_by_role("rowheader", name="Dates").wait_for()
    # What is not sure is told, and not proposed.
    page.get_by_role("listitem").get_by_text("Strecke: distance_km if it is in km").wait_for()
    saved(page, "Saved as “dotted dates”.")
    page.get_by_role("button", name="Read it so, and check again").click()
    page.get_by_text("Every row would count").wait_for()
    saved(page, "in place of the one that had this name")
    page.get_by_role("button", name="Upload it").click()
    page.get_by_role("heading", level=1).get_by_text("Done").wait_for()
    (upload,) = [one for one in uploads(tabs) if one.source == "dates"]
    assert upload.entries == 1
    page.goto(f"{tabs.site.url}/mappings")
    page.locator("summary", has_text="dotted dates, for Plane").press("Enter")
    page.get_by_role("row", name="Dates").get_by_text("dd.mm.yyyy").wait_for()
    page.locator("[open]").get_by_role("button", name="Remove").click()
    page.locator("button.danger", has_text="Remove").click()
    page.locator("summary", has_text="dotted dates").wait_for(state="detached")


def saved(page: Any, told: str) -> None:
    """Keeps what a check proposes under a name, by keyboard."""
    name = page.get_by_label("Save this reading under a name")
    name.fill("dotted dates")
    name.press("Enter")
    page.get_by_text(told).wait_for()


def test_factors_and_units_are_checked_too(tabs: Tabs, checked_year: Path) -> None:
    page = tabs.open(f"/upload?year={YEAR}&kind=factors&type=DATA_ENTRY_TYPE_PLANE")
    file = written(checked_year, "more.csv", FACTORS.replace("0.2", "0.3").splitlines())
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Check first").click()
    page.locator(".check-result[aria-busy=false]").wait_for()
    assert "1 changed" in cell_of(page, "Change")
    page.goto(f"{tabs.site.url}/upload?year={YEAR}&kind=units")
    page.get_by_label("File").set_input_files(
        written(checked_year, "more_units.csv", [*UNITS.splitlines(), "0830,Arts"])
    )
    page.get_by_role("button", name="Check first").click()
    page.locator(".check-result[aria-busy=false]").wait_for()
    assert "1 new" in cell_of(page, "Change")


PURCHASES = (
    "unit_institutional_id,name,total_spent_amount,purchase_institutional_code,purchase_category",
    "0828,A,100,s1,services",
    "0828,B,200,v1,vehicles",
    "0828,C,-1,v1,vehicles",
    "0828,D,1,s1,food",
)


def test_a_file_of_several_types_is_checked_for_each_and_sent_to_their_module(
    tabs: Tabs, checked_year: Path
) -> None:
    with tabs.site.client() as client:
        for code, of in (("s1", "services"), ("v1", "vehicles")):
            header = (
                "purchase_institutional_code,purchase_category,currency,ef_kg_co2eq_per_currency"
            )
            lines = [header, f"{code},{of},chf,0.5"]
            client.load_factors(written(checked_year, f"{of}.csv", lines), of, year=YEAR)
    before = uploads(tabs)
    page = tabs.open(f"/upload?year={YEAR}")
    page.get_by_label("Data-entry type").select_option("MODULE_PURCHASE")
    page.get_by_text("says the type of each row").wait_for()
    page.get_by_label("File").set_input_files(written(checked_year, "all.csv", PURCHASES))
    page.get_by_role("button", name="Check first").click()
    page.locator(".check-result[aria-busy=false]").wait_for()
    assert page.locator(".check-result h3").all_inner_texts() == ["Services", "Vehicles"]
    divided, services, vehicles = page.locator(".check-result table.narrow").all()
    assert divided.locator("td").all_inner_texts() == ["4", "3", "1"]
    for of_type, (rows, counted) in ((services, ("1", "1")), (vehicles, ("2", "1"))):
        assert of_type.locator("td").all_inner_texts()[:2] == [rows, counted]
    page.get_by_role("cell", name="food").wait_for()
    settled(page)
    assert axe_finds(page) == {}
    assert uploads(tabs) == before
    page.get_by_role("button", name="Upload it").click()
    page.get_by_role("heading", name="Read a file of several types").wait_for()
    page.get_by_role("heading", level=1).get_by_text("Done").wait_for()
    assert sorted(one.entries for one in uploads(tabs) if one not in before) == [1, 1]
    # Still at 320 pixels: the steps of all parts, and the rows that each has rejected.
    page.get_by_role("link", name="Open", exact=True).click()
    settled(page)
    assert page.evaluate(WIDER) == []
    page.locator(".steps").get_by_role("link", name="rejected").first.click()
    page.get_by_role("link", name="Upload the mended file").nth(1).wait_for()
    settled(page)
    assert page.evaluate(WIDER) == []
    # Whichever part they are of, the file is sent whole.
    page.get_by_role("link", name="Upload the mended file").last.press("Enter")
    assert page.get_by_label("Data-entry type").input_value() == "MODULE_PURCHASE"


def test_who_may_not_upload_is_told_so(as_role: Any) -> None:
    page = as_role("auditor").open("/upload?year=2024")
    page.get_by_text("Your roles let you look, but not upload.").wait_for()
    assert page.locator("main form").count() == 0


def test_axe_finds_nothing_in_a_report(tabs: Tabs, checked_year: Path) -> None:
    page = checked(tabs, written(checked_year, "flawed.csv", FLAWED), "axe")
    settled(page)
    assert axe_finds(page) == {}
