"""Files that come again; places that are wrong, cities or retired."""

import json

import pytest

from tests.cases.conftest import FILES, Terminal
from tests.cases.great_circle import km

KG_PER_KM = 0.2
NEAR = 0.005
ONE_TRIP = KG_PER_KM * km("GVA", "CDG")


def test_a_city_code_is_answered_with_its_airports(terminal: Terminal) -> None:
    typed = terminal.submit("14_city_codes.csv", 2004)

    assert "3 have none" in typed.output
    listed = terminal.type("uncomputed", "--year", "2004", "-o", "-").out
    assert "LON is a city" in listed
    for airport in ("LCY", "LGW", "LHR", "ORY", "JFK"):
        assert airport in listed
    assert terminal.kg(2004) == pytest.approx(KG_PER_KM * km("ZRH", "LHR"), NEAR)


def test_a_corrected_file_of_a_unit_replaces_the_first(terminal: Terminal) -> None:
    first = terminal.submit("20a_unit_upload.csv", 2010, "--unit", "0828")
    assert "1 row accepted, 1 rejected" in first.output
    assert terminal.kg(2010) == pytest.approx(ONE_TRIP, NEAR)

    second = terminal.submit("20b_unit_upload_corrected.csv", 2010, "--unit", "0828")

    assert "in place of 1 row of 20a_unit_upload.csv" in second.output
    assert terminal.kg(2010) == pytest.approx(2 * ONE_TRIP, NEAR)
    assert terminal.totals(2010).institution.entry_count == 2


def test_the_same_rows_saved_anew_are_the_same_rows(terminal: Terminal) -> None:
    terminal.submit("20a_unit_upload.csv", 2011, "--unit", "0828")

    typed = terminal.submit("21_unit_upload_saved_again.csv", 2011, "--unit", "0828")

    assert typed.code == 0
    assert "nothing was changed" in typed.output
    assert terminal.totals(2011).institution.entry_count == 1


def test_two_sources_of_a_year_stand_side_by_side(terminal: Terminal) -> None:
    terminal.submit("20a_unit_upload.csv", 2019, "--unit", "0828", "--source", "agency one")
    typed = terminal.submit(
        "20b_unit_upload_corrected.csv", 2019, "--unit", "0828", "--source", "two"
    )

    assert typed.code == 0
    assert terminal.totals(2019).institution.entry_count == 3


def test_an_upload_can_be_withdrawn(terminal: Terminal) -> None:
    terminal.submit("20b_unit_upload_corrected.csv", 2020, "--unit", "0828", "--source", "agency")
    terminal.submit("20a_unit_upload.csv", 2020, "--unit", "0828")
    listed = terminal.type("uploads", "--year", "2020", "--format", "csv").out
    [upload] = [line.split(",")[0] for line in listed.splitlines() if "20b_unit_upload" in line]

    typed = terminal.type("withdraw", upload)

    assert typed.code == 0, typed
    assert terminal.kg(2020) == pytest.approx(ONE_TRIP, NEAR)
    assert "20b_unit_upload" not in terminal.type("uploads", "--year", "2020").out


def test_brussels_and_luxembourg_lie_where_they_lie(terminal: Terminal) -> None:
    assert terminal.submit("23_brussels.csv", 2013).code == 0

    expected = KG_PER_KM * (km("BRU", "AMS") + km("LUX", "FRA"))
    # Reference points of Frankfurt differ by more than a kilometre from list to list.
    assert terminal.kg(2013) == pytest.approx(expected, 0.01)


def test_published_results_of_the_united_kingdom_come_out(terminal: Terminal) -> None:
    assert terminal.load_factors("24_uk_factors_2019.csv", 2014).code == 0
    assert terminal.submit("24_uk_flights_2019.csv", 2014).code == 0

    kg = {one.unit: one.total_kg for one in terminal.totals(2014).module_totals}
    assert kg["0828"] == pytest.approx(1312.7, 0.005)
    assert kg["0829"] == pytest.approx(136.7, 0.005)


def test_airports_are_added_and_the_others_stay(terminal: Terminal) -> None:
    assert terminal.submit("27_second_file_of_the_year.csv", 2012).code == 0

    typed = terminal.type("load", "locations", FILES / "22_four_airports_to_add.csv")

    assert typed.code == 0
    assert terminal.kg(2012) == pytest.approx(KG_PER_KM * km("ZRH", "LHR"), NEAR)


def test_replacing_that_takes_away_used_places_is_refused(terminal: Terminal) -> None:
    assert terminal.submit("27_second_file_of_the_year.csv", 2021).code == 0

    typed = terminal.type("load", "locations", FILES / "22_four_airports_to_add.csv", "--replace")

    assert typed.code == 4
    assert "entries use" in typed.output
    assert terminal.kg(2021) == pytest.approx(KG_PER_KM * km("ZRH", "LHR"), NEAR)


def test_a_list_of_warnings_that_does_not_have_all_rows_says_how_many_there_are(
    terminal: Terminal,
) -> None:
    header = "origin_iata,destination_iata,user_institutional_id,cabin_class\n"
    rows = "".join(f"GVA,CDG,{person},economy\n" for person in range(10_200))
    one, other = terminal.folder / "all.csv", terminal.folder / "one_more.csv"
    one.write_text(header + rows, "utf-8")
    other.write_text(f"{header}{rows}ZRH,LHR,9,economy\n", "utf-8")
    terminal.submit(str(one), 2034, "--unit", "0828")
    typed = terminal.submit(str(other), 2034, "--unit", "0828", "--source", "agency")
    assert "carbonline warnings lists the first 10,000." in typed.output
    pipeline = typed.out.split("Pipeline ")[1].split()[0]

    table = terminal.type("warnings", pipeline)

    of_all = "Of 10,200 rows with a warning, the first 10,000 are listed."
    assert f"There are more: 10,000 lines; -o FILE writes them. {of_all}" in table.output
    listed = terminal.type("warnings", pipeline, "--json")
    assert (len(json.loads(listed.out)["rows"]), json.loads(listed.out)["more"]) == (10_000, True)
    assert f"There are more: {of_all}" in listed.output
