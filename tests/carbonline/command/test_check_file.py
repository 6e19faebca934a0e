"""A file is checked before it is submitted: by the command, and by a script."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbonline import Client, WrongArgument
from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_commands import PLACES

UNITS = "unit_institutional_id,name\n0828,Physics\n0829,Law\n"
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "all,economy,0.2,1,0,\n"
)
KG_OF_A_TRIP = 407.5926178213096 * 0.2
HEADER = "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class\n"
GOOD = HEADER + "0828,GVA,CDG,a1,economy\n"
FLAWED = (
    HEADER.replace("\n", ",colour\n")
    + "0828,GVA,CDG,a1,economy,x\n"
    + "0828,CDG,GVA,a1,hammock,x\n"
    + "0829,GVA,XXX,a1,economy,x\n"
    + "0829,GVA,GVA,a1,economy,x\n"
)
OF_2040 = ("--type", "plane", "--year", "2040")
FINDINGS = [
    (2, "rejected", "cabin_class", "hammock"),
    (3, "unknown_place", "", ""),
    (4, "doubtful", "destination_iata", "GVA"),
]


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack that has units, places and factors of 2040."""
    terminal = Terminal(tmp_path_factory.mktemp("checked"))
    with terminal.stack():
        terminal.load_for_planes(2040, units=UNITS, places=PLACES, factors=FACTORS)
        yield terminal


@pytest.fixture
def client(terminal: Terminal) -> Iterator[Client]:
    with Client.local(terminal.folder / "data") as client:
        yield client


def uploads(terminal: Terminal) -> list[object]:
    rows: list[object] = json.loads(terminal.type("uploads", "--year", "2040", "--json").out)[
        "rows"
    ]
    return rows


def test_a_check_says_what_would_count_and_ends_with_a_code_of_its_own(terminal: Terminal) -> None:
    typed = terminal.type("submit", terminal.file("flawed.csv", FLAWED), *OF_2040, "--check")
    assert typed.code == 10, typed
    for line in (
        "file        flawed.csv, 4 rows; nothing was written",
        "rejected    1",
        "outcomes    2 computed, 1 unknown_place",
        "not read    columns: colour",
        "replaces    nothing",
        "plane 2040  0.000 kg now, 81.519 kg with the file",
    ):
        assert line in typed.out.splitlines(), typed.out
    assert max(map(len, typed.out.splitlines())) <= 80
    assert uploads(terminal) == []


def test_the_end_of_a_check_names_neither_totals_nor_rows_that_stay(terminal: Terminal) -> None:
    terminal.type("submit", terminal.file("flawed.csv", FLAWED), *OF_2040, "--check")
    listed = json.loads(terminal.type("pipelines", "--limit", "1", "--json").out)
    number = str(listed["rows"][0]["pipeline"])
    watched = terminal.type("watch", number)
    assert f"carbonline rejected {number} -o rejected.csv" in watched.out, watched
    assert "Totals:" not in watched.out, watched
    rejected = terminal.type("rejected", number, "-o", "-")
    assert "Nothing was stored: correct these rows in the file" in rejected.err, rejected


def test_a_check_fits_forty_columns(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(terminal.environment, "COLUMNS", "40")
    typed = terminal.type("submit", terminal.file("flawed.csv", FLAWED), *OF_2040, "--check")
    assert max(map(len, typed.out.splitlines())) <= 40
    assert "finding: unknown_place" in typed.out


def test_all_findings_are_written_as_a_file_and_as_json(terminal: Terminal) -> None:
    file = terminal.file("flawed.csv", FLAWED)
    listed = terminal.type("submit", file, *OF_2040, "--check", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(listed.out)))
    names = ("row", "finding", "column", "value")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (str(row), *others) for row, *others in FINDINGS
    ]
    told = json.loads(terminal.type("submit", file, *OF_2040, "--check", "--json").out)
    assert [tuple(row[name] for name in names) for row in told["rows"]] == FINDINGS
    check = told["check"]
    assert (check["good"], check["rows_accepted"], check["rows_without_kg"]) == (False, 3, 1)
    assert check["kg_of_file"] == pytest.approx(KG_OF_A_TRIP)


def test_more_findings_than_a_job_tells_are_read_from_its_files(
    terminal: Terminal, client: Client
) -> None:
    wrong = "".join(f"0828,CDG,GVA,a{n},hammock {n}\n" for n in range(300))
    without = "".join(f"0828,GVA,XXX,a{n},economy\n" for n in range(300))
    report = client.check_file(
        terminal.file("many.csv", GOOD + wrong + without), "plane", year=2040
    )
    assert (report.rows_rejected, report.rows_without_kg) == (300, 300)
    assert [one["row"] for one in report.findings] == list(range(2, 602))
    assert {one["finding"] for one in report.findings} == {"rejected", "unknown_place"}


def test_a_good_file_ends_with_success_and_one_that_cannot_be_used_as_its_upload(
    terminal: Terminal,
) -> None:
    good = terminal.type("submit", terminal.file("good.csv", GOOD), *OF_2040, "--check")
    assert good.code == 0, good
    wrong = terminal.type("submit", terminal.file("wrong.csv", UNITS), *OF_2040, "--check")
    assert wrong.code == 4, wrong
    assert "missing_columns" in wrong.out


@pytest.mark.parametrize(
    "words",
    [
        ("--from", "travel-api", "--year", "2040", "--check"),
        ("good.csv", *OF_2040, "--check", "--yes"),
        ("good.csv", *OF_2040, "--json"),
    ],
)
def test_what_cannot_be_checked_is_refused_before_anything_is_sent(
    terminal: Terminal, words: tuple[str, ...]
) -> None:
    terminal.file("good.csv", GOOD)
    typed = terminal.type("submit", *words)
    assert typed.code == 2, typed
    assert "--check" in typed.err


def test_a_module_whose_types_no_column_tells_apart_has_no_file_of_several(
    terminal: Terminal,
) -> None:
    file = terminal.file("good.csv", GOOD)
    typed = terminal.type("submit", file, "--module", "headcount", "--year", "2040", "--check")
    assert typed.code == 2, typed
    assert "A file of headcount is of one type: name it with --type." in typed.err


def test_a_script_learns_what_an_upload_would_do(terminal: Terminal, client: Client) -> None:
    file = Path(terminal.file("flawed.csv", FLAWED))
    report = client.check_file(file, "plane", year=2040)
    assert not report.is_good
    assert (report.rows, report.rows_accepted, report.rows_rejected) == (4, 3, 1)
    assert (report.rows_warned, report.rows_without_kg) == (1, 1)
    assert report.unread_columns == ["colour"]
    assert (report.kg_before, report.replaces) == (0, {})
    sent = client.submit_file(file, "plane", year=2040)
    assert (sent.rows_accepted, sent.rows_rejected) == (3, 1)
    [upload] = client.uploads(2040)
    assert upload.total_kg == pytest.approx(report.kg_of_file)
    again = client.check_file(terminal.file("good.csv", GOOD), "plane", year=2040)
    assert (again.needs_consent, again.is_good) == ("most_would_go", False)
    assert again.replaces["upload_id"] == upload.upload_id
    assert client.check_file(file, "plane", year=2040).is_unchanged
    client.withdraw(upload)
    with pytest.raises(WrongArgument):
        client.check_file(file, "plain", year=2040)


def test_a_script_loads_rates_and_rooms(terminal: Terminal, client: Client) -> None:
    rates = terminal.file("rates.csv", "currency,year,units_per_eur\nUSD,2040,1.1\n")
    rooms = terminal.file("rooms.csv", "building_name,room_name,surface_m2\nBC,410,25\n")
    for report in (client.load_rates(rates), client.load_rooms(rooms)):
        report.raise_for_status()
        assert report.rows_accepted == 1


def test_a_script_reads_each_row_with_its_kilograms(terminal: Terminal, client: Client) -> None:
    file = terminal.file("flawed.csv", FLAWED)
    sent = client.submit_file(file, "plane", year=2040, source="results")
    rows = list(client.results(sent.pipeline_id))
    written = terminal.folder / "results.json"
    typed = terminal.type("results", str(sent.pipeline_id), "-o", written)
    assert typed.code == 0, typed
    named = json.loads(written.read_text())["rows"]
    assert [{name: row[name] for name in one} for one, row in zip(rows, named, strict=True)] == rows
    outcomes = [row["outcome"] for row in rows]
    assert outcomes == ["computed", "unknown_place", "computed"]
    assert rows[0]["kg_co2eq"] == pytest.approx(KG_OF_A_TRIP)
    assert [row["row"] for row in client.results(sent.pipeline_id, unit="0828")] == [1]
