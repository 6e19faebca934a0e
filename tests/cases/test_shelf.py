"""Published sets of factors are loaded by their names, compared, and compute kilograms."""

import json

import pytest

from tests.cases.conftest import UNITS, Terminal

YEAR = 2036


def test_a_set_is_loaded_for_all_its_types_and_computes(terminal: Terminal) -> None:
    units = terminal.folder / "units_of_sets.csv"
    units.write_text(UNITS, "utf-8")
    assert terminal.type("load", "units", units, "--year", str(YEAR)).code == 0

    loaded = terminal.type("load", "factors", "uk-gov-2024", "--year", str(YEAR))

    assert loaded.code == 0, loaded
    assert "Open Government Licence v3.0" in loaded.output
    # The UK's bands are not distances, and whoever loads the set is told.
    assert (
        "those to and from Europe short-haul, and this set those of up to 3,700 km" in loaded.output
    )
    assert loaded.output.count("Pipeline ") == 7
    energy = terminal.folder / "power.csv"
    energy.write_text("unit_institutional_id,carrier,quantity,unit\n0828,electricity,2,MWh\n")
    for_type = ("--type", "purchased_energy", "--year", str(YEAR))
    assert terminal.type("submit", energy, *for_type).code == 0
    assert terminal.kg(YEAR) == pytest.approx(2000 * (0.20705 + 0.0183))
    listed = json.loads(terminal.type("factors", *for_type, "--json").out)
    assert [row["file"] for row in listed["rows"]] == ["uk-gov-2024_purchased_energy.csv"]

    differs = terminal.type("factors", "diff", str(YEAR), "uk-gov-2023", *for_type[:2], "--json")

    assert differs.code == 0, differs
    told = json.loads(differs.out)
    assert (told["changed"], told["same"]) == (1, 0)
    assert [(row["column"], row["old"], row["new"]) for row in told["rows"]] == [
        ("ef_kg_co2eq_per_unit", 0.20705, 0.20707429),
        ("ef_losses_kg_co2eq_per_unit", 0.0183, 0.01791511),
    ]


def test_two_sets_are_compared_type_by_type(terminal: Terminal) -> None:
    typed = terminal.type("factors", "diff", "uk-gov-2022", "uk-gov-2023")
    assert typed.code == 0, typed
    assert "type: process_emissions" in typed.out
    assert max(map(len, typed.out.splitlines())) <= 80
    [r410a] = [line for line in typed.out.splitlines() if "r410a" in line]
    assert r410a.split()[-3:] == ["2088", "1924", "-7.85"]


def test_the_shelf_is_listed(terminal: Terminal) -> None:
    listed = json.loads(terminal.type("factors", "shelf", "--json").out)
    [of_2024] = [row for row in listed["rows"] if row["set"] == "uk-gov-2024"]
    assert of_2024["licence"] == "Open Government Licence v3.0"
    assert "plane" in of_2024["types"]
