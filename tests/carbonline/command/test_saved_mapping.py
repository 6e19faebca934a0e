"""Mappings under names, as a person uses them: saved with a file, used for the next one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbonline import Client, WrongArgument
from tests.carbonline.command.terminal import Terminal, Typed
from tests.carbonline.command.test_commands import PLACES
from tests.carbonline.command.test_mapped_files import (
    FACTORS,
    MAPPING,
    OF_2040,
    THEIRS,
    UNITS,
    WORDS,
    uploads,
)

OF_PLANES = ("--type", "plane")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack that has units, places and factors of 2040."""
    terminal = Terminal(tmp_path_factory.mktemp("saved"))
    with terminal.stack():
        terminal.load_for_planes(2040, units=UNITS, places=PLACES, factors=FACTORS)
        yield terminal


@pytest.fixture
def terminal(stack: Terminal) -> Terminal:
    """The same; nothing counts and nothing is saved yet."""
    for upload in uploads(stack):
        assert stack.type("withdraw", str(upload["upload"]), "--yes").code == 0
    for name in saved(stack):
        assert stack.type("mappings", "remove", name, *OF_PLANES).code == 0
    return stack


@pytest.fixture
def theirs(terminal: Terminal) -> Path:
    return terminal.file("theirs.csv", THEIRS)


def saved(terminal: Terminal) -> list[str]:
    listed = terminal.type("mappings", "--json")
    assert listed.code == 0, listed
    return [row["name"] for row in json.loads(listed.out)["rows"]]


def shown(terminal: Terminal, name: str) -> Typed:
    return terminal.type("mappings", "show", name, *OF_PLANES, "--json")


def test_a_mapping_is_saved_with_a_file_and_reads_the_next_one(
    terminal: Terminal, theirs: Path
) -> None:
    first = terminal.type("submit", theirs, *OF_2040, *WORDS, "--save-mapping", "Agency")
    assert (first.code, "Saved the mapping Agency of plane." in first.err) == (0, True), first
    more = terminal.file("more.csv", THEIRS.replace(";a1;", ";a3;"))
    second = terminal.type("submit", more, *OF_2040, "--mapping", "agency")
    assert second.code == 0, second
    [upload] = uploads(terminal)
    assert (upload["file_name"], upload["mapping"]) == ("more.csv", "Agency")
    assert json.loads(shown(terminal, "AGENCY").out)["mapping"] == {**MAPPING, "name": "Agency"}


def test_an_upload_keeps_the_mapping_that_it_was_read_with(
    terminal: Terminal, theirs: Path
) -> None:
    typed = terminal.type("submit", theirs, *OF_2040, *WORDS, "--save-mapping", "agency")
    again = ("mappings", "save", "agency", *OF_PLANES, "--decimal", "point")
    assert "Replaced the mapping agency of plane." in terminal.type(*again).err
    assert terminal.type("mappings", "remove", "agency", *OF_PLANES).code == 0
    number = typed.out.split("Pipeline ")[1].split()[0]
    jobs = json.loads(terminal.type("jobs", number, "--json").out)["rows"]
    [ingest] = [job["job"] for job in jobs if job["job_type"] == "csv_ingest"]
    payload = json.loads(terminal.type("job", str(ingest), "--json").out)["payload"]
    assert payload["mapping"] == {**MAPPING, "name": "agency"}


def test_a_saved_mapping_is_shown_part_by_part(terminal: Terminal) -> None:
    assert terminal.type("mappings", "save", "agency", *OF_PLANES, *WORDS).code == 0
    rows = json.loads(shown(terminal, "agency").out)["rows"]
    parts = [(row["part"], row["column"], row["in_the_file"], row["read_as"]) for row in rows]
    assert ("column", "origin_iata", "Von", "origin_iata") in parts
    assert ("value", "cabin_class", "Eco Flex", "economy") in parts
    assert parts[-2:] == [("decimal", "", "", "comma"), ("dates", "", "", "dd.mm.yyyy")]
    table = terminal.type("mappings", "show", "agency", *OF_PLANES).out
    assert "Eco Flex" in table
    assert "agency" in terminal.type("mappings").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mapping", "agencie"), "There is no saved mapping 'agencie' of this type. Did you"),
        (("--mapping", "xyz"), "There are: agency."),
        (("--mapping", "agency", "--decimal", "comma"), "leave out --map and the others"),
        (("--save-mapping", "agency"), "--save-mapping saves what --map and the others say"),
        (("--check", "--decimal", "comma", "--save-mapping", "b"), "--check writes nothing"),
        (("--map", "Von=origin", "--save-mapping", "b"), "did you mean origin_iata?"),
    ],
)
def test_a_mistake_is_told_before_the_upload_and_nothing_is_saved(
    terminal: Terminal, theirs: Path, words: tuple[str, ...], said: str
) -> None:
    assert terminal.type("mappings", "save", "agency", *OF_PLANES, "--decimal", "comma").code == 0
    typed = terminal.type("submit", theirs, *OF_2040, *words)
    told = " ".join(typed.err.split())
    assert (typed.code != 0, said in told, uploads(terminal)) == (True, True, []), typed
    assert saved(terminal) == ["agency"]


def test_what_is_not_saved_cannot_be_shown_or_removed(terminal: Terminal) -> None:
    typed = shown(terminal, "agency")
    assert (typed.code, "None is saved for this type yet." in typed.err) == (2, True), typed
    typed = terminal.type("mappings", "remove", "agency", *OF_PLANES)
    assert (typed.code, "There is no mapping agency of plane." in typed.err) == (2, True), typed


def test_a_check_and_a_script_read_a_file_with_a_saved_mapping(
    terminal: Terminal, theirs: Path
) -> None:
    assert terminal.type("mappings", "save", "agency", *OF_PLANES, *WORDS).code == 0
    checked = terminal.type("submit", theirs, *OF_2040, "--mapping", "agency", "--check")
    assert (checked.code, uploads(terminal)) == (0, []), checked
    with Client.local(terminal.folder / "data") as client:
        assert client.check_file(theirs, "plane", year=2040, mapping="agency").rows_accepted == 2
        report = client.submit_file(theirs, "plane", year=2040, mapping="Agency")
        assert (report.status, report.rows_accepted) == ("success", 2)
        with pytest.raises(WrongArgument, match="Did you mean 'agency'"):
            client.submit_file(theirs, "plane", year=2040, mapping="agenc")
        with pytest.raises(WrongArgument, match="There are: agency"):
            client.submit_file(theirs, "plane", year=2040, mapping=" ")


RATES = "Devise;Jahr;Kurs\nCHF;2040;0,95\n"
OF_RATES = ("--map", "Devise=currency", "--map", "Jahr=year", "--map", "Kurs=units_per_eur")
LOADS = {
    "units": (
        ("units",),
        ("--year", "2041"),
        "Code;Name\n0831;History\n",
        ("--map", "Code=unit_institutional_id"),
        ("units", "0831"),
    ),
    "factors": (
        ("factors",),
        ("--type", "plane", "--year", "2041"),
        "Gruppe;cabin_class;ef_kg_co2eq_per_km\nall;first;0,6\n",
        ("--map", "Gruppe=category", "--decimal", "comma"),
        ("factors", "--type", "plane", "--year", "2041"),
    ),
    "locations": (
        ("locations",),
        (),
        "Code;name;Breite;longitude\nXAA;Field;10,5;20\n",
        ("--map", "Code=iata", "--map", "Breite=latitude", "--decimal", "comma"),
        ("locations", "XAA"),
    ),
    "rates": (("rates",), (), RATES, (*OF_RATES, "--decimal", "comma"), ("references", "rates")),
    "rooms": (
        ("rooms",),
        (),
        "Bau;Raum;surface_m2\nCE;1;10\n",
        ("--map", "Bau=building_name", "--map", "Raum=room_name"),
        ("references", "rooms"),
    ),
}


def test_loads_save_mappings_and_what_is_loaded_tells_of_them(stack: Terminal) -> None:
    """Of each kind: saved with a file, listed with what it brought, and used for the next."""
    for kind, (load, scope, text, words, shown_by) in LOADS.items():
        file = stack.file(f"{kind}.csv", text)
        first = stack.type("load", *load, file, *scope, *words, "--save-mapping", "Ministry")
        assert (first.code, "Saved the mapping Ministry of " in first.err) == (0, True), first
        rows = json.loads(stack.type(*shown_by, "--json").out)["rows"]
        assert [row["mapping"] for row in rows] == ["Ministry"], rows
        again = stack.type("load", *load, file, *scope, "--mapping", "ministry")
        assert again.code == 0, again


def test_a_saved_mapping_of_a_load_is_shown_checked_and_removed(stack: Terminal) -> None:
    file, of = stack.file("kurs.csv", RATES.replace("0,95", "0,96")), ("--of", "rates")
    words = (*OF_RATES, "--decimal", "comma")
    assert stack.type("mappings", "save", "bank", *of, *words).code == 0
    load = ("load", "rates", file, "--mapping", "bank")
    assert stack.type(*load, "--check").code == 0
    assert stack.type(*load).code == 0
    assert "bank" in stack.type("references", "rates").out
    assert "Kurs" in stack.type("mappings", "show", "bank", *of).out
    assert stack.type("mappings", "remove", "bank", *of).code == 0
    absent = stack.type(*load)
    assert (absent.code, "There is no saved mapping 'bank' of rates." in absent.err) == (2, True)


def test_the_kind_of_file_and_the_type_go_together(stack: Terminal) -> None:
    for words, said in (
        (("--of", "units", "--type", "plane"), "leave out --type"),
        (("--of", "factors"), "Missing option '--type'"),
        ((), "Missing option '--type'"),
    ):
        typed = stack.type("mappings", "save", "a", *words, "--decimal", "comma")
        assert (typed.code, said in " ".join(typed.err.split())) == (2, True), typed


def test_scripts_load_with_mappings_that_are_said_and_saved(stack: Terminal) -> None:
    file = stack.file("their_rates.csv", RATES.replace("0,95", "0,97"))
    words = (*OF_RATES, "--decimal", "comma", "--of", "rates")
    assert stack.type("mappings", "save", "bank", *words).code == 0
    columns = {"Devise": "currency", "Jahr": "year", "Kurs": "units_per_eur"}
    with Client.local(stack.folder / "data") as client:
        said = {"columns": columns, "decimal": "comma"}
        assert client.load_rates(file, mapping=said).status == "success"
        assert client.load_rates(file, mapping="Bank").status == "success"
        with pytest.raises(WrongArgument, match="of rates"):
            client.load_rates(file, mapping="none")
        with pytest.raises(WrongArgument, match="of units"):
            client.load_units(file, year=2041, mapping="bank")
