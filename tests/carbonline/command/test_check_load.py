"""Factors, places, rates and units are checked before they are loaded."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_check_file import FACTORS, GOOD, KG_OF_A_TRIP, OF_2040, UNITS
from tests.carbonline.command.test_commands import PLACES

HALVED = FACTORS.replace("0.2", "0.11") + "first,first,0.3,1,0,\n"


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack with a flight of 2040."""
    terminal = Terminal(tmp_path_factory.mktemp("checked"))
    with terminal.stack():
        terminal.load_for_planes(2040, units=UNITS, places=PLACES, factors=FACTORS)
        sent = terminal.type("submit", terminal.file("good.csv", GOOD), *OF_2040)
        assert sent.code == 0, sent
        yield terminal


OF_PURCHASES = "purchase_institutional_code,currency,ef_kg_co2eq_per_currency,purchase_category\n"
BOUGHT = (
    "unit_institutional_id,name,total_spent_amount,purchase_institutional_code,purchase_category\n"
    "0828,Cleaning,100,s1,services\n"
)


def in_force(terminal: Terminal, *types: str) -> list[object]:
    of_2040 = ("--year", "2040", "--json")
    told = [terminal.type("factors", "--type", one, *of_2040).out for one in types or ("plane",)]
    return [json.loads(one)["rows"] for one in told]


def test_a_check_of_factors_says_what_would_change_and_changes_nothing(
    terminal: Terminal,
) -> None:
    before = in_force(terminal)
    file = terminal.file("halved.csv", HALVED + "bad,economy,x,1,0,\n")
    typed = terminal.type("load", "factors", file, *OF_2040, "--check")
    assert typed.code == 10, typed
    kg = f"{KG_OF_A_TRIP:,.3f} kg now, {KG_OF_A_TRIP * 0.11 / 0.2:,.3f} kg with the file"
    for line in (
        "file        halved.csv, 3 rows; nothing was written",
        "accepted    2",
        "rejected    1",
        "changes     1 new, 2 changed, 0 stale, 0 removed",
        f"plane 2040  {kg}",
    ):
        assert line in typed.out.splitlines(), typed.out
    assert max(map(len, typed.out.splitlines())) <= 80
    assert in_force(terminal) == before


def test_a_check_says_which_consent_a_load_would_need(terminal: Terminal) -> None:
    file = terminal.file("grams.csv", FACTORS.replace("0.2", "200"))
    told = json.loads(terminal.type("load", "factors", file, *OF_2040, "--check", "--json").out)
    check = told["check"]
    assert (check["good"], check["needs_consent"]) == (False, "kilograms_would_double")
    [of] = check["kilograms"]
    assert of["kg_after"] == pytest.approx(1000 * of["kg_before"])
    [doubtful] = told["rows"]
    assert doubtful["reason"] == "200 kg per km in one row is more than 10: is that correct?"


def test_factors_of_several_types_are_checked_for_each_and_one_wrong_type_hides_no_other(
    terminal: Terminal,
) -> None:
    of_purchases = ("--module", "purchase", "--year", "2040")
    first = terminal.file("first.csv", OF_PURCHASES + "s1,chf,0.5,services\n")
    bought = terminal.file("bought.csv", BOUGHT)
    for words in (("load", "factors", first), ("submit", bought)):
        assert terminal.type(*words, *of_purchases).code == 0
    before = in_force(terminal, "services")
    rows = "s1,chf,2,services\nv1,chf,-1,vehicles\nx1,chf,1,food\nv2,chf,x,vehicles\n"
    file = terminal.file("all.csv", OF_PURCHASES + rows)

    typed = terminal.type("load", "factors", file, *of_purchases, "--check")

    # As for a file of one type: not PARTIAL, since nothing was stored.
    assert typed.code == 10, typed
    summary, findings = typed.out.split("\n\n")
    assert [re.split("  +", line) for line in summary.splitlines()] == [
        ["file", "all.csv, 4 rows; nothing was written"],
        ["of no type", "1, rejected"],
        ["type", "services, 1 row"],
        ["accepted", "1"],
        ["rejected", "0"],
        ["changes", "0 new, 1 changed, 0 stale, 0 removed"],
        ["consent", "needed (--yes): kilograms_would_double"],
        ["services 2040", "50.000 kg now, 200.000 kg with the file"],
        ["type", "vehicles, 2 rows"],
        ["accepted", "0"],
        ["rejected", "2"],
        ["changes", "nothing: the file would be refused"],
    ]
    found = [line.split()[:3] for line in findings.splitlines()[2:] if line[:3].strip()]
    assert found == [
        ["2", "vehicles", "rejected"],
        ["3", "rejected", "purchase_category"],
        ["4", "vehicles", "rejected"],
    ]
    terminal.file("all.csv", OF_PURCHASES + "v1,chf,-1,vehicles\nx1,chf,1,food\n")
    typed = terminal.type("load", "factors", file, *of_purchases, "--check", "--json")
    assert typed.code == 4, typed
    told = json.loads(typed.out)
    [of_vehicles] = told["check"]["types"].values()
    causes = [one["error_cause"] for one in (told["check"], of_vehicles)]
    assert causes == ["no_valid_rows", "no_valid_rows"]
    assert (told["check"]["rows_rejected"], of_vehicles["rows_rejected"]) == (2, 1)
    assert [row["type"] for row in told["rows"]] == ["vehicles", ""]
    assert in_force(terminal, "services") == before


def test_all_types_of_a_set_of_the_shelf_are_checked_at_once(terminal: Terminal) -> None:
    before = in_force(terminal, "purchased_energy", "energy_combustion")
    typed = terminal.type("load", "factors", "epfl-2025", "--year", "2040", "--check")
    assert typed.code == 0, typed
    lines = typed.out.splitlines()
    assert lines[0].split(maxsplit=1) == ["file", "epfl-2025, 7 rows; nothing was written"]
    types = [line.split(maxsplit=1)[1] for line in lines if line.startswith("type")]
    assert types == ["purchased_energy, 1 row", "energy_combustion, 6 rows"]
    assert sum(line.startswith("changes") for line in lines) == 2
    assert in_force(terminal, "purchased_energy", "energy_combustion") == before


@pytest.mark.parametrize(
    ("words", "text", "changes"),
    [
        (("locations",), PLACES, "0 new, 0 changed, 3 same, "),
        (("rates",), "currency,year,units_per_eur\nUSD,2040,1.1\n", "1 new, 0 changed, 0 same, "),
        (("rooms",), "building_name,room_name,surface_m2\nBC,410,25\n", "1 new, 0 changed, "),
        (("units", "--year", "2041"), UNITS + "0830,Arts\n", "1 new, 3 changed"),
    ],
)
def test_each_load_can_be_checked(
    terminal: Terminal, words: tuple[str, ...], text: str, changes: str
) -> None:
    kind, *options = words
    typed = terminal.type("load", kind, terminal.file(f"{kind}.csv", text), *options, "--check")
    assert typed.code == 0, typed
    [line] = [line for line in typed.out.splitlines() if line.startswith("changes")]
    assert changes.split(", ", maxsplit=1)[0] in line, typed.out


@pytest.mark.parametrize(
    "words",
    [
        ("factors", "factors.csv", *OF_2040, "--check", "--yes"),
        ("factors", "uk-gov-2024", "--year", "2040", "--check", "--yes"),
        ("factors", "factors.csv", "--module", "purchase", "--year", "2040", "--check", "--yes"),
        ("factors", "factors.csv", "--module", "purchase", "--year", "2040", "-o", "x.csv"),
        ("units", "--from", "unit-directory", "--year", "2040", "--check"),
        ("rates", "factors.csv", "--json"),
    ],
)
def test_a_load_that_cannot_be_checked_is_refused_before_anything_is_sent(
    terminal: Terminal, words: tuple[str, ...]
) -> None:
    terminal.file("factors.csv", FACTORS)
    typed = terminal.type("load", *words)
    assert typed.code == 2, typed
    assert "--check" in typed.err
