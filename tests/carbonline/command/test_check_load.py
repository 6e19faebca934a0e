"""Factors, places, rates and units are checked before they are loaded."""

import json
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


def in_force(terminal: Terminal) -> object:
    told = terminal.type("factors", "--type", "plane", "--year", "2040", "--json")
    return json.loads(told.out)["rows"]


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
        ("factors", "uk-gov-2024", "--year", "2040", "--check"),
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
