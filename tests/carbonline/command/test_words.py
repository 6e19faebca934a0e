"""What the command prints, out of what the server said."""

import csv
import os
from decimal import Decimal

import pytest
from rich.console import Console

from carbonline.client.airports import airport_rows
from carbonline.client.errors import ServerError
from carbonline.client.file_names import sent_name
from carbonline.client.view import PipelineView
from carbonline.client.watch import Snapshot
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column
from carbonline.command.display import PlainDisplay
from carbonline.command.names import job_word, module_numbers, scope_words, status_word, step_words
from carbonline.command.pace import Pace
from carbonline.command.printing import kilograms, print_lines
from carbonline.command.safe_text import lines, one_line
from carbonline.command.table import table_lines
from carbonline.command.totals import show_totals
from carbonline.v1 import ledger_pb2, types_pb2


def running(done: int, total: int = 0, phase: str = "read") -> types_pb2.Job:
    job = types_pb2.Job(job_id=1, state=types_pb2.JOB_STATE_RUNNING)
    job.progress.done, job.progress.total, job.progress.phase = done, total, phase
    return job


def test_a_pace_is_the_rate_since_the_phase_began() -> None:
    first = Pace.of(running(100, 1000), None, 10.0)
    assert (first.per_second, first.seconds_left) == (None, None)
    later = Pace.of(running(300, 1000), first, 12.0)
    assert later.per_second == 100.0
    assert later.seconds_left == 7.0
    assert later.words() == "read: 300 of 1,000, 100/s, 7 s left"


def test_a_new_phase_has_a_pace_of_its_own() -> None:
    first = Pace.of(running(900, 1000), None, 10.0)
    second = Pace.of(running(10, 0, "publish"), first, 20.0)
    assert second.began_at == 20.0
    assert second.words() == "publish: 10"


def test_words_of_the_contract() -> None:
    scope = types_pb2.Scope(
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        year=2024,
    )
    job = types_pb2.Job(job_type="csv_ingest", scope=scope, state=types_pb2.JOB_STATE_FINISHED)
    job.result = types_pb2.JOB_RESULT_WARNING
    assert scope_words(scope) == "professional_travel plane 2024"
    assert step_words(job) == "csv_ingest plane"
    assert job_word(job) == "WARNING"
    assert module_numbers()["buildings"] == 3
    pipeline = types_pb2.Pipeline(status=types_pb2.PIPELINE_STATUS_SUCCESS, has_warnings=True)
    assert status_word(pipeline) == "SUCCESS with warnings"


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    assert one_line("a\x1b[2Jb\x07\x9b\u202ec") == "a\\x1b[2Jb\\x07\\x9b\\u202ec"
    assert one_line("one\ntwo") == "one\\ntwo"
    assert lines("one\ntwo\x1b") == "one\ntwo\\x1b"
    assert one_line("Zürich\xa0日本") == "Zürich\xa0日本"
    scope = types_pb2.Scope(unit="\x1b]0;title\x07")
    assert scope_words(scope) == "\\x1b]0;title\\x07"


def test_tables_errors_and_messages_show_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_lines(table_lines((Column("name"),), [{"name": "bad\x1b[31m"}], 80))
    job = types_pb2.Job(job_id=1, state=types_pb2.JOB_STATE_FINISHED, message="said\x07")
    job.result = types_pb2.JOB_RESULT_WARNING
    view = PipelineView()
    view.apply(Snapshot(types_pb2.Pipeline(pipeline_id=1), (job,)))
    PlainDisplay(Console()).show(view)
    with pytest.raises(SystemExit):
        run_to_end(_refused("value \x1b[1A"))
    said = capsys.readouterr()
    assert "bad\\x1b[31m" in said.out
    assert "\x1b" not in said.out + said.err
    assert "\x07" not in said.out


async def _refused(message: str) -> None:
    raise ServerError("INVALID_ARGUMENT", "", message, {}, {})


def test_a_narrow_terminal_takes_room_from_the_units_names_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    kg = "110161851.046499"
    total = ledger_pb2.ModuleTotals(
        unit="0828",
        unit_name="Institute of Long Names",
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        entry_count=328_521,
        total_kg_exact=kg,
    )
    show_totals(ledger_pb2.GetTotalsResponse(module_totals=[total]), 2024)
    assert capsys.readouterr().out.splitlines() == [
        "module: professional_travel",
        "unit name        entries        kg CO2eq",
        "────────────────────────────────────────",
        "0828 Institute   328,521 110,161,851.046",
        "     of Long",
        "     Names",
    ]


def test_kilograms_are_those_of_the_exact_decimal() -> None:
    assert kilograms(Decimal("12345678901234567.0005001")) == "12,345,678,901,234,567.001"


def test_kilograms_have_three_decimals() -> None:
    assert kilograms(110161851.046) == "110,161,851.046"


async def test_airports_are_a_locations_file() -> None:
    text = b"".join([chunk async for chunk in airport_rows()]).decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert list(rows[0]) == ["iata", "name", "country", "latitude", "longitude"]
    by_code = {row["iata"]: row for row in rows}
    assert len(by_code) == len(rows) > 7000
    assert by_code["GVA"]["country"] == "CH"
    assert abs(float(by_code["GVA"]["latitude"]) - 46.238) < 0.01


def test_bytes_of_a_files_name_that_are_no_text_are_written_out() -> None:
    name = os.fsdecode(b"fl\xfcge.csv")
    assert one_line(f"{name}\ud800") == "fl\\xfcge.csv\\ud800"
    assert sent_name(name) == "fl\\xfcge.csv"
    assert sent_name("flüge.csv") == "flüge.csv"
