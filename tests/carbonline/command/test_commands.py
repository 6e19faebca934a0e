"""The command line against a real stack, as a person types it."""

import csv
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.carbonline.command.terminal import Terminal, Typed

SUBMIT_PLANE = ("--type", "plane", "--year", "2024")

UNITS = "unit_institutional_id,name\nU1,Physics\nU2,Chemistry\n"
PLACES = (
    "iata,name,country,latitude,longitude\n"
    "GVA,Geneva,CH,46.2381,6.1090\nCDG,Paris,FR,49.0097,2.5479\n"
)
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "short,economy,0.2906,1.35,0,800\n"
)
TRIPS = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class,"
    "number_of_trips\n"
    "U1,GVA,CDG,1,economy,1\nU1,GVA,CDG,1,economy,2\nU2,GVA,CDG,2,economy,1\n"
    "U2,GVA,CDG,2,economy,0\n"
)
KG_OF_A_TRIP = 407.5926178213096 * 0.2906 * 1.35


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack that has units, places and factors of 2024."""
    terminal = Terminal(tmp_path_factory.mktemp("command"))
    with terminal.stack():
        terminal.load_for_planes(2024, units=UNITS, places=PLACES, factors=FACTORS)
        yield terminal


@pytest.fixture(scope="module")
def submitted(terminal: Terminal) -> Typed:
    """An upload with one bad row, watched to its end."""
    return terminal.type("submit", terminal.file("trips.csv", TRIPS), *SUBMIT_PLANE)


def pipeline_of(typed: Typed) -> str:
    """The number in "Pipeline 7 (csv_ingest ...): SUCCESS"."""
    return typed.out.split()[1]


def test_submit_watches_to_the_end_and_says_what_to_do_next(submitted: Typed) -> None:
    assert submitted.code == 0, submitted
    assert "SUCCESS with warnings" in submitted.out
    assert f"rejected {pipeline_of(submitted)} -o rejected.csv" in submitted.out
    assert "totals --year 2024" in submitted.out
    assert "csv_ingest plane: WARNING after" in submitted.err


def test_totals_as_a_table_and_as_json(terminal: Terminal, submitted: Typed) -> None:
    shown = terminal.type("totals", "--year", "2024")
    assert shown.code == 0
    assert f"{3 * KG_OF_A_TRIP:,.3f}" in shown.out
    assert "Physics" in shown.out
    answer = json.loads(terminal.type("totals", "--year", "2024", "--json").out)
    by_unit = {one["unit"]: one["total_kg"] for one in answer["rows"]}
    assert by_unit == pytest.approx({"U1": 3 * KG_OF_A_TRIP, "U2": KG_OF_A_TRIP}, rel=1e-12)


def test_rejected_rows_come_as_a_file_with_reasons(terminal: Terminal, submitted: Typed) -> None:
    wanted = terminal.folder / "bad.csv"
    answer = terminal.type("rejected", pipeline_of(submitted), "-o", wanted)
    assert answer.code == 0, answer
    with wanted.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["origin_iata"], row["number_of_trips"]) == ("GVA", "0")
    assert row["rejected_row"] == "4"
    assert row["rejected_reason"] == "number_of_trips: must be at least 1"
    rows = wanted.read_text()
    wanted.write_text(rows + "corrected\n")
    kept = terminal.type("rejected", pipeline_of(submitted), "-o", wanted)
    assert (kept.code, wanted.read_text()) == (2, rows + "corrected\n"), kept
    assert "choose another name, or replace it with --force" in " ".join(kept.err.split())
    assert [path.name for path in terminal.folder.glob("bad.csv*")] == ["bad.csv"]
    assert terminal.type("rejected", pipeline_of(submitted), "-o", wanted, "--force").code == 0
    assert terminal.type("rejected", pipeline_of(submitted), "-o", wanted).code == 0
    assert wanted.read_text() == rows
    on_stdout = terminal.type("rejected", pipeline_of(submitted), "-o", "-")
    assert on_stdout.out == wanted.read_text()
    assert "1 rejected row, each with its reason, on stdout" in on_stdout.err
    # A pipe here, which resolves to no path at all.
    device = terminal.type("rejected", pipeline_of(submitted), "-o", "/dev/stdout")
    assert (device.code, device.out) == (0, wanted.read_text()), device
    nowhere = terminal.type("rejected", pipeline_of(submitted), "-o", "/absent/bad.csv")
    assert (nowhere.code, nowhere.out) == (2, ""), nowhere
    assert nowhere.err == "Error: /absent/bad.csv: No such file or directory.\n"
    for name in ("bad.xlsx", "bad.parquet", "bad.JSON", "bad.csv.gz"):
        misnamed = terminal.type("rejected", pipeline_of(submitted), "-o", name)
        assert (misnamed.code, "Call it .csv" in misnamed.err) == (2, True), misnamed
        assert not (terminal.folder / name).exists()


def test_a_watch_of_an_ended_pipeline_says_the_same_end(
    terminal: Terminal, submitted: Typed
) -> None:
    again = terminal.type("watch", pipeline_of(submitted))
    assert (again.code, again.out) == (submitted.code, submitted.out)


@pytest.mark.parametrize("words", [("status",), ("pipelines",), ("jobs",), ("workers",)])
def test_lists_are_shown_to_people_and_programs(
    terminal: Terminal, submitted: Typed, words: Sequence[str]
) -> None:
    shown = terminal.type(*words)
    assert shown.code == 0, shown
    assert shown.out
    assert next(iter(json.loads(terminal.type(*words, "--json").out))) == "rows"
    header, *rows = terminal.type(*words, "--format", "csv").out.splitlines()
    assert header.split(",")[0] == words[0].removesuffix("s").replace("statu", "pipeline")
    assert rows
    kept = terminal.folder / f"{words[0]}.xlsx"
    written = terminal.type(*words, "-o", kept)
    assert (written.code, written.out, f"in {kept}." in written.err) == (0, "", True), written
    assert kept.read_bytes().startswith(b"PK")


def test_a_list_says_that_it_is_empty_or_cut(terminal: Terminal, submitted: Typed) -> None:
    none = terminal.type("pipelines", "--year", "2090")
    assert (none.code, none.out, none.err) == (0, "", "There are no such pipelines.\n")
    one = terminal.type("pipelines", "--limit", "1")
    assert sum(line.split()[0].isdigit() for line in one.out.splitlines() if line) == 1
    assert "There are more: raise --limit" in one.err


def test_a_template_can_be_submitted_again(terminal: Terminal) -> None:
    plane = terminal.type("template", "plane")
    assert plane.code == 0
    assert plane.out.startswith("unit_institutional_id,")
    assert "# number_of_trips: optional, 1 if empty; a whole number, at least 1" in plane.err
    assert "ef_kg_co2eq_per_km" in terminal.type("template", "plane", "--factors").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("watch", "999999"), 2, "PIPELINE_NOT_FOUND"),
        (("cancel", "999999"), 2, "PIPELINE_NOT_FOUND"),
        (("jobs", "999999"), 2, "PIPELINE_NOT_FOUND"),
        (("results", "999999"), 2, "PIPELINE_NOT_FOUND"),
        (
            ("migrate", "--database-url", "postgresql://me@127.0.0.1:1/x"),
            6,
            "Cannot connect to PostgreSQL",
        ),
        (("submit", "trips.csv", *SUBMIT_PLANE[:-1], "1999"), 2, "YEAR_NOT_PROVISIONED"),
        (
            ("submit", "trips.csv", *SUBMIT_PLANE, "--module", "buildings"),
            2,
            "plane is a type of professional_travel, not of buildings: leave out --module",
        ),
        (("submit", "absent.csv", *SUBMIT_PLANE), 2, "does not exist"),
        (("submit", "trips.csv", "--module", "nothing"), 2, "is not one of buildings"),
        (("submit", "wrong.csv", *SUBMIT_PLANE), 4, "FAILED"),
        (("submit", "large.csv", *SUBMIT_PLANE), 2, "the ledger accepts at most 2,147,483,648"),
        (("workers", "--scheduler", "unix:/absent"), 6, "Nothing listens at unix:/absent"),
        (("workers", "--data-folder", "elsewhere"), 6, "No stack runs"),
        (("workers", "--scheduler", "unix:a,h:1"), 2, "unix:a,h:1: several addresses must all be"),
    ],
)
def test_exit_codes_tell_refused_failed_and_unreachable(
    terminal: Terminal, words: Sequence[str], code: int, said: str
) -> None:
    terminal.file("wrong.csv", "a,b\n1,2\n")
    with terminal.file("large.csv", "a,b\n").open("r+b") as large:
        large.truncate((2 << 30) + 1)
    terminal.file("trips.csv", TRIPS)
    typed = terminal.type(*words)
    assert typed.code == code, typed
    assert said in typed.out + typed.err
    assert "Traceback" not in typed.err


def test_the_other_server_says_so_in_a_sentence(terminal: Terminal) -> None:
    stack = json.loads((terminal.folder / "data" / "stack.json").read_text())
    typed = terminal.type("pipelines", "--scheduler", stack["ledger_address"])
    assert (typed.code, "Check that --scheduler and --ledger are not swapped" in typed.err) == (
        2,
        True,
    ), typed


@pytest.mark.parametrize(
    "words",
    [
        ("totals", "--year", "2024"),
        ("totals", "--year", "2024", "--json"),
        ("jobs", "--format", "csv"),
        ("status",),
        ("watch", "PIPELINE"),
        ("rejected", "PIPELINE", "-o", "-"),
        ("template", "plane"),
    ],
    ids=" ".join,
)
def test_an_answer_that_cannot_be_written_is_a_sentence(
    terminal: Terminal, submitted: Typed, words: Sequence[str]
) -> None:
    number = pipeline_of(submitted)
    with Path("/dev/full").open("wb") as full:
        typed = terminal.type(*(word.replace("PIPELINE", number) for word in words), stdout=full)
    last = typed.err.splitlines()[-1]
    assert (typed.code, last) == (2, "Error: stdout: No space left on device."), typed
    assert "Traceback" not in typed.err


def test_a_full_device_is_named(terminal: Terminal, submitted: Typed) -> None:
    for words in (("rejected", pipeline_of(submitted)), ("jobs", "--format", "csv")):
        typed = terminal.type(*words, "-o", "/dev/full")
        assert (typed.code, typed.err) == (2, "Error: /dev/full: No space left on device.\n")


def test_notes_that_cannot_be_written_do_not_end_the_work(
    terminal: Terminal, submitted: Typed
) -> None:
    with Path("/dev/full").open("wb") as full:
        typed = terminal.type("watch", pipeline_of(submitted), stderr=full)
    assert (typed.code, typed.out) == (0, submitted.out)


def test_a_reader_that_has_left_ends_a_command_in_silence(
    terminal: Terminal, submitted: Typed
) -> None:
    for words in (("totals", "--year", "2024"), ("rejected", pipeline_of(submitted), "-o", "-")):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            typed = terminal.type(*words, stdout=writing)
        finally:
            os.close(writing)
        assert (typed.code, typed.err) == (141, ""), typed


def test_a_file_comes_through_a_pipe(terminal: Terminal) -> None:
    reading, writing = os.pipe()
    os.write(writing, UNITS.encode())
    os.close(writing)
    try:
        typed = terminal.type("load", "units", "-", "--year", "2025", stdin=reading)
    finally:
        os.close(reading)
    assert (typed.code, "2 units accepted" in typed.err) == (0, True), typed


def test_doubtful_rows_count_and_are_listed_with_reasons(
    terminal: Terminal, submitted: Typed
) -> None:
    none = terminal.type("warnings", pipeline_of(submitted))
    assert (none.code, none.out) == (0, ""), none
    assert "has no row with a warning" in none.err
    table = terminal.file("many.csv", TRIPS.replace(",2\n", ",104523\n"))
    doubtful = terminal.type("submit", table, *SUBMIT_PLANE)
    assert "Rows with a warning: " in doubtful.out, doubtful
    shown = terminal.type("warnings", pipeline_of(doubtful)).out.splitlines()
    assert shown[0] == "column: number_of_trips"
    assert shown[-1].split()[:2] == ["2", "104523"]
    answer = terminal.type("warnings", pipeline_of(doubtful), "--format", "csv")
    [row] = csv.DictReader(answer.out.splitlines())
    assert (row["column"], row["value"]) == ("number_of_trips", "104523")
    assert row["reason"] == "104,523 trips in one row is more than 1,000: is that correct?"
    wanted = terminal.folder / "doubtful.csv"
    kept = terminal.type("warnings", pipeline_of(doubtful), "-o", wanted)
    assert kept.err == f"1 row in {wanted}.\n"
    assert wanted.read_text() == answer.out


def test_a_file_name_that_is_not_text_is_replaced_by_one_that_is(
    terminal: Terminal, submitted: Typed
) -> None:
    del submitted
    flights, units = (
        terminal.folder / os.fsdecode(name) for name in (b"fl\xfcge.csv", b"unit\xe9s.csv")
    )
    units.write_text(UNITS)
    loaded = terminal.type("load", "units", units, "--year", "2024")
    assert loaded.code == 0, loaded
    flights.write_text(TRIPS)
    sent = terminal.type("submit", flights, *SUBMIT_PLANE, "--source", "odd_names")
    assert (sent.code, "Traceback" in sent.err) == (0, False), sent
    listed = terminal.type("uploads", "--year", "2024", "--format", "json")
    assert "fl\\\\xfcge.csv" in listed.out, listed
    wanted = terminal.folder / os.fsdecode(b"r\xe9.csv")
    kept = terminal.type("rejected", pipeline_of(sent), "-o", wanted)
    assert "in " + str(terminal.folder) + "/r\\xe9.csv" in kept.out, kept
    assert wanted.read_text().startswith("unit_institutional_id,")
    totals = terminal.folder / os.fsdecode(b"t\xe9.csv")
    listed = terminal.type("totals", "--year", "2024", "-o", totals)
    assert listed.err.endswith(f"in {terminal.folder}/t\\xe9.csv.\n"), listed
    missing = terminal.type("submit", os.fsdecode(b"n\xf4.csv"), *SUBMIT_PLANE)
    assert (missing.code, "Traceback" in missing.err) == (2, False), missing


def test_rejected_rows_say_how_they_are_sent_again(terminal: Terminal, submitted: Typed) -> None:
    of_trips = terminal.type("rejected", pipeline_of(submitted), "-o", "-")
    assert "submit the file with a --source of its own" in of_trips.err
    units = terminal.file("units_with_a_gap.csv", "unit_institutional_id,name\nU3,Art\n,Law\n")
    loaded = terminal.type("load", "units", units, "--year", "2024")
    of_units = terminal.type("rejected", pipeline_of(loaded), "-o", "-")
    assert of_units.out.splitlines()[1] == ",Law,2,unit_institutional_id: is missing"
    assert "load the file: what is already there stays" in of_units.err
