"""What is missing from totals, and what they are computed from, on a running stack as a person."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_commands import UNITS

YEAR = ("--year", "2024")
PLANE = ("--type", "plane", *YEAR)
PLACES = (
    "iata,name,country,latitude,longitude\n"
    "GVA,Geneva,CH,46.2381,6.1090\nCDG,Paris,FR,49.0097,2.5479\nJFK,New York,US,40.6413,-73.7781\n"
)
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "short,economy,0.2906,1.35,0,800\nlong,economy,0.1902,1.35,800,\n"
)
TRIPS = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class,"
    "number_of_trips\n"
    "U1,GVA,CDG,1,economy,1\nU1,GVA,XXX,1,economy,2\nU2,GVA,CDG,2,first,1\nU2,GVA,JFK,2,economy,1\n"
)


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack with units, places and factors; two of four trips have no kg."""
    terminal = Terminal(tmp_path_factory.mktemp("missing"))
    with terminal.stack():
        terminal.load_for_planes(2024, units=UNITS, places=PLACES, factors=FACTORS)
        yield terminal


def test_entries_without_kilograms_are_said_counted_and_listed(terminal: Terminal) -> None:
    submitted = terminal.type("submit", terminal.file("trips.csv", TRIPS), *PLANE)
    assert submitted.code == 0
    assert "Entries without kilograms: " in submitted.out
    assert "uncomputed --year 2024" in submitted.out
    totals = terminal.type("totals", *YEAR, "--strict")
    assert totals.code == 7
    assert "without kg" in totals.out
    assert "2 of 4 entries have no kilograms and are missing from these totals." in totals.out
    assert "STALE" not in totals.out
    listed = terminal.type("uncomputed", *YEAR)
    assert listed.code == 0, listed
    assert "unknown airport XXX" in listed.out
    assert "destination_iata: XXX" in listed.out
    answer = json.loads(terminal.type("uncomputed", *YEAR, "--unit", "u2", "--json").out)
    [row] = answer["rows"]
    assert (row["row"], row["outcome"], row["cabin_class"]) == (3, "no_factor", "first")


def test_they_come_as_a_file_in_the_order_of_the_columns(terminal: Terminal) -> None:
    wanted = terminal.folder / "missing.csv"
    written = terminal.type("uncomputed", *PLANE, "--outcome", "unknown_place", "-o", wanted)
    assert written.code == 0, written
    with wanted.open(newline="") as file:
        reader = csv.DictReader(file)
        [row] = reader
    assert row["row"] == "2"
    assert "XXX" in row["reason"]
    names = list(reader.fieldnames or ())
    assert names.index("unit_institutional_id") < names.index("reason")
    assert names.index("origin_iata") < names.index("destination_iata") < names.index("cabin_class")
    assert len(names) == len(set(names))
    # The same columns with rows and without any: those of the type, or of all types.
    of_all = []
    for words in (PLANE, (*PLANE, "--outcome", "no_rate"), YEAR, (*YEAR, "--outcome", "no_rate")):
        header, *_ = terminal.type("uncomputed", *words, "--format", "csv").out.splitlines()
        if "--type" in words:
            assert header.split(",") == names
        else:
            of_all.append(header.split(","))
    assert of_all[0] == of_all[1]
    assert set(of_all[0]) > {*names, "quantity"}
    [found] = json.loads(terminal.type("uncomputed", *PLANE, "--unit", "u1", "--json").out)["rows"]
    assert (found["number_of_trips"], found["distance_km"]) == (2, None)
    assert found["user_institutional_id"] == "1"
    none = terminal.type("uncomputed", *YEAR, "--outcome", "no_rate")
    assert (none.code, none.out) == (0, "")
    assert "There are no such entries" in none.err
    one = terminal.type("uncomputed", *YEAR, "--limit", "1")
    assert "There are more: raise --limit" in one.err


def test_a_recalculation_by_hand_changes_nothing_that_is_fresh(terminal: Terminal) -> None:
    before = json.loads(terminal.type("totals", *YEAR, "--json").out)["total"]
    done = terminal.type("recalculate", *PLANE)
    assert done.code == 0, done
    assert "nothing has changed" in done.err
    assert json.loads(terminal.type("totals", *YEAR, "--json").out)["total"] == before
    unknown = terminal.type("recalculate", "--type", "plane", "--year", "1999")
    assert (unknown.code, "YEAR_NOT_PROVISIONED" in unknown.err) == (2, True)


def test_a_module_is_recalculated_by_type_or_only_what_is_stale(terminal: Terminal) -> None:
    module = ("--module", "professional-travel", *YEAR)
    before = total_of(terminal)
    done = terminal.type("recalculate", *module)
    assert done.code == 0, done
    said = " ".join(done.err.split())
    assert "1 type to compute: plane. Without data: train, road_travel." in said
    assert "nothing has changed" in said
    assert total_of(terminal) == before
    stale = terminal.type("recalculate", *module, "--only-stale")
    assert stale.code == 0, stale
    nothing = "Nothing to compute. Up to date: plane. Without data: train, road_travel."
    assert nothing in " ".join(stale.err.split())
    for words, sentence in (
        (YEAR, "For all types of a module, give --module."),
        ((*module, "--type", "plane"), "--module is for all its types"),
        ((*PLANE, "--only-stale"), "--only-stale is for the types of a --module"),
    ):
        refused = terminal.type("recalculate", *words)
        assert (refused.code, sentence in " ".join(refused.err.split())) == (2, True), refused


FOUR_AIRPORTS = (
    "iata,name,country,latitude,longitude\n"
    "SXF,Berlin Schoenefeld (closed),DE,52.38,13.5225\nFRU,Bishkek (old code),KG,43.0613,74.4776\n"
    "PNH,Phnom Penh (old code),KH,11.5466,104.844\nKIV,Chisinau (old code),MD,46.9277,28.9310\n"
)


def total_of(terminal: Terminal) -> object:
    return json.loads(terminal.type("totals", *YEAR, "--json").out)["total"]


def test_four_airports_are_added_and_no_total_changes(terminal: Terminal) -> None:
    before = total_of(terminal)
    loaded = terminal.type("load", "locations", terminal.file("four.csv", FOUR_AIRPORTS))
    assert loaded.code == 0, loaded
    assert "4 new, 0 changed, 0 unchanged." in loaded.err
    assert total_of(terminal) == before


def test_factors_of_another_unit_are_asked_about_before(terminal: Terminal) -> None:
    before = total_of(terminal)
    grams = "".join(
        line.replace("0.2906", "0.0002906").replace("0.1902", "0.0001902")
        for line in (terminal.folder / "factors.csv").read_text().splitlines(keepends=True)
    )
    small = terminal.file("small.csv", grams)
    refused = terminal.type("load", "factors", small, *PLANE)
    assert refused.code == 4, refused
    assert "most_would_go" in refused.out
    assert "less than half of the kilograms of 2024 would be left" in " ".join(refused.out.split())
    assert total_of(terminal) == before
    taken = terminal.type("load", "factors", small, *PLANE, "--yes")
    assert taken.code == 0, taken
    assert total_of(terminal) != before
    again = terminal.type("load", "factors", terminal.folder / "factors.csv", *PLANE)
    assert (again.code, "kilograms_would_double" in again.out) == (4, True), again
    back = terminal.type("load", "factors", terminal.folder / "factors.csv", *PLANE, "--take-away")
    assert back.code == 0
    assert back.out.splitlines()[-1].endswith("). That is more than twice as much.")
    assert total_of(terminal) == before


def test_swapped_columns_are_explained_though_the_file_is_refused(terminal: Terminal) -> None:
    before = total_of(terminal)
    swapped = "iata,name,country,longitude,latitude\nGVA,Geneva,CH,46.2381,6.109\n"
    refused = terminal.type("load", "locations", terminal.file("swapped.csv", swapped))
    assert refused.code == 4, refused
    assert "kilograms_would_double" in refused.out
    assert "latitude and longitude look swapped" in " ".join(refused.out.split())
    number = refused.out.split("Rows with a warning: ")[1].split("warnings ")[1].split()[0]
    listed = terminal.type("warnings", number, "--format", "csv").out
    assert "GVA lies 5,886 km from where it is now" in listed
    assert "latitude and longitude look swapped" in listed
    assert total_of(terminal) == before


def test_replacing_places_that_entries_use_needs_a_word(terminal: Terminal) -> None:
    before = total_of(terminal)
    four = terminal.file("four.csv", FOUR_AIRPORTS)
    refused = terminal.type("load", "locations", four, "--replace")
    assert refused.code == 4, refused
    assert "places_in_use" in refused.out
    # The trip to the unknown airport uses its origin, though it has no kilograms.
    assert "4 entries use GVA, CDG, JFK." in refused.out
    assert "allow the removal with --yes" in " ".join(refused.out.split())
    assert total_of(terminal) == before
    taken = terminal.type("load", "locations", four, "--replace", "--take-away")
    assert taken.code == 0
    shown = terminal.type("totals", *YEAR)
    assert "4 of 4 entries have no kilograms" in shown.out
    assert terminal.type("load", "locations", terminal.folder / "places.csv").code == 0
    assert total_of(terminal) == before


def test_places_that_a_file_has_no_more_are_listed_and_removed(terminal: Terminal) -> None:
    first = "iata,latitude,longitude\nXXA,1,2\nXXB,1,3\nXXC,1,4\n"
    assert terminal.type("load", "locations", terminal.file("own.csv", first)).code == 0
    second = "iata,latitude,longitude\nXXA,1.1,2\n"
    loaded = terminal.type("load", "locations", terminal.file("own.csv", second))
    assert "2 older places are not in the newest file of the name and stay in use" in (
        " ".join(loaded.out.split() + loaded.err.split())
    )
    listed = terminal.type("locations", "xxa", "xxb", "--used", "--format", "csv").out.splitlines()
    assert [line.split(",")[1] for line in listed[1:]] == ["XXA", "XXB"]
    named = listed[0].split(",")
    rows = [dict(zip(named, line.split(","), strict=True)) for line in listed[1:]]
    assert [(row["state"], row["version"], row["entries"]) for row in rows] == [
        ("in force", "2", "0"),
        ("stale", "1", "0"),
    ]
    assert terminal.type("locations", "--stale").out.count("XX") == 2
    removed = terminal.type("remove", "stale-locations")
    assert (removed.code, "2 stale places were removed." in removed.err) == (0, True), removed
    refused = terminal.type("remove", "locations", "XXA", "GVA")
    assert (refused.code, "places_in_use" in refused.out) == (4, True), refused
    assert terminal.type("remove", "locations", "XXA").code == 0
    none = terminal.type("locations", "XXA", "XXB", "XXC")
    assert (none.code, none.err) == (2, "There are no such places.\n")


def test_stale_factors_are_taken_out_of_force(terminal: Terminal) -> None:
    short = "".join(FACTORS.splitlines(keepends=True)[:2])
    assert terminal.type("load", "factors", terminal.file("short.csv", short), *PLANE).code == 0
    refused = terminal.type("remove", "stale-factors", *PLANE)
    assert (refused.code, "factors_in_use" in refused.out) == (4, True), refused
    removed = terminal.type("remove", "stale-factors", *PLANE, "--take-away")
    assert removed.code == 0
    assert "1 stale factor is no longer in force." in removed.err
    assert terminal.type("totals", *YEAR, "--strict").code == 7
    back = terminal.type("load", "factors", terminal.folder / "factors.csv", *PLANE, "--replace")
    assert (back.code, "2 factors accepted. 1 is new or changed." in back.err) == (0, True), back


def test_units_are_listed_and_those_that_no_entry_uses_are_removed(terminal: Terminal) -> None:
    more = terminal.file("more.csv", "unit_institutional_id,name\nU3,Chemistry\n")
    assert terminal.type("load", "units", more, *YEAR).code == 0
    found = terminal.type("units", "u3", "U1", "U9", "--used")
    assert found.code == 0, found
    assert "Chemistry" in found.out
    assert "more.csv" in found.out
    assert found.err == "Unknown units: U9.\n"
    rows = json.loads(terminal.type("units", "--used", "--json").out)["rows"]
    assert {row["unit_institutional_id"]: row["entries"] for row in rows} == {
        "U1": 2,
        "U2": 2,
        "U3": 0,
    }
    refused = terminal.type("remove", "units", "U3", "U1")
    assert refused.code == 4, refused
    assert "units_in_use" in refused.out
    assert "2 entries use U1." in refused.out
    removed = terminal.type("remove", "units", "u3")
    assert removed.code == 0, removed
    assert "U3 was removed." in removed.err
    none = terminal.type("units", "--search", "u3")
    assert (none.code, none.err) == (0, "There are no such units.\n")


def test_places_and_factors_are_listed_with_their_files(terminal: Terminal) -> None:
    found = terminal.type("locations", "gva", "XYZ", "--used")
    assert found.code == 0, found
    assert "Geneva" in found.out
    assert "places.csv" in found.out
    assert found.err == "Unknown places: XYZ.\n"
    answer = json.loads(terminal.type("locations", "--search", "gen", "--used", "--json").out)
    [geneva] = answer["rows"]
    assert (geneva["code"], geneva["entries"], geneva["file"]) == ("GVA", 4, "places.csv")
    listed = terminal.type("factors", *PLANE, "--used")
    assert listed.code == 0, listed
    assert "factors.csv" in listed.out
    rows = json.loads(terminal.type("factors", *PLANE, "--used", "--json").out)["rows"]
    assert {row["category"]: row["entries"] for row in rows} == {"short": 1, "long": 1}
    assert {type(row["ef_kg_co2eq_per_km"]) for row in rows} == {float}
    files = {terminal.type("factors", *PLANE, "--format", "csv").out for _ in range(3)}
    headers = {file.splitlines()[0] for file in files}
    no_rows = terminal.type("factors", *PLANE, "--stale", "--format", "csv").out
    assert headers == {no_rows.strip()}
    # In the order of the template, which has them all.
    columns = FACTORS.splitlines()[0].split(",")
    [header] = headers
    assert [name for name in header.split(",") if name in columns] == columns
    none = terminal.type("factors", *PLANE, "--stale")
    assert (none.code, none.err) == (0, "There are no stale factors of plane in 2024.\n")


def test_totals_are_stale_while_an_upload_waits_for_a_worker(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    trips = terminal.file("trips.csv", TRIPS.splitlines()[0] + "\nU1,GVA,CDG,1,economy,1\n")
    submit = ("submit", trips, *PLANE)
    strict = ("totals", *YEAR, "--strict")
    with terminal.stack():
        terminal.load_for_planes(2024, units=UNITS, places=PLACES, factors=FACTORS)
        for words in (submit, strict):
            typed = terminal.type(*words)
            assert typed.code == 0, typed
    with terminal.stack(workers=0):
        assert terminal.type(*strict).code == 0
        assert terminal.type(*submit, "--source", "another", "--no-watch").code == 0
        totals = terminal.type(*strict)
        said = "STALE: professional_travel: a change of plane is still being processed."
        assert (totals.code, said in totals.out) == (7, True), totals
        of_year = terminal.type("status", *YEAR)
        assert "totals are STALE: a change of plane is still being processed" in of_year.out
        [module] = json.loads(terminal.type(*strict, "--json").out)["freshness"]
        assert (module["fresh"], module["stale_types"]) == (False, ["plane"])


def test_every_row_of_a_pipeline_is_listed_with_its_kilograms(terminal: Terminal) -> None:
    # Equal rows would bring nothing, because they count already.
    trips = TRIPS.replace("U2,GVA,JFK,2,economy,1", "U2,GVA,JFK,2,economy,2")
    submitted = terminal.type("submit", terminal.file("each.csv", trips), *PLANE, "--yes")
    pipelines = json.loads(terminal.type("pipelines", "--json").out)["rows"]
    newest = str(max(int(one["pipeline"]) for one in pipelines))
    rows = json.loads(terminal.type("results", newest, "--json").out)["rows"]
    assert submitted.code == 0
    assert [row["row"] for row in rows] == [1, 2, 3, 4]
    assert {row["outcome"] for row in rows} == {"computed", "unknown_place", "no_factor"}
    assert all((row["kg_co2eq"] is None) == bool(row["reason"]) for row in rows)
    table = terminal.type("results", newest)
    assert (table.code, "unknown airport" in table.out) == (0, True), table.out
    assert "brought none" in terminal.type("results", "1").err
    unknown = terminal.type("results", "999999")
    assert (unknown.code, "PIPELINE_NOT_FOUND" in unknown.err) == (2, True), unknown.err
