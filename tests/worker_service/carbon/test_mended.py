"""Rejected rows as a file: what came, why it was rejected, and nothing lost on the way back."""

import csv
import io

import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.worker_service.carbon.plane_files import ECONOMY, FACTOR_COLUMNS, PLANE, SCOPE, opening
from worker_service.carbon.csv_source.mended import Originals
from worker_service.carbon.csv_source.reading import read_text
from worker_service.carbon.parse.entries import read_entries
from worker_service.carbon.parse.factors import read_factors
from worker_service.carbon.parse.references import read_units


def rejected_file(content: bytes | str) -> str:
    """What `carbonline rejected` would give of a file of activity data."""
    file = read_entries(PLANE, opening(content), SCOPE)
    lines = b"".join(batch.rejected_lines for batch in file.batches)
    return (file.rejected_header + lines).decode()


COLUMNS = (
    "unit_institutional_id",
    "origin_iata",
    "destination_iata",
    "user_institutional_id",
    "cabin_class",
    "departure_date",
    "number_of_trips",
    "kg_co2eq",
    "note",
)


def test_a_rejected_row_comes_as_it_was_written_with_all_its_reasons() -> None:
    content = (
        f"{','.join(COLUMNS).upper()}, Airline\n"
        "0828,GVA,CDG,1,economy,,1,,,LX\n"
        ' 0828 ,,CDG,1,Hammock,,0,,"two\nlines, ""so""",LX\n'
    )
    header, row = csv.reader(io.StringIO(rejected_file(content), newline=""))
    assert header == [*(c.upper() for c in COLUMNS), "Airline", "rejected_row", "rejected_reason"]
    *fields, number, reason = row
    assert fields == [" 0828 ", "", "CDG", "1", "Hammock", "", "0", "", 'two\nlines, "so"', "LX"]
    assert number == "2"
    assert reason.startswith("origin_iata: is missing; cabin_class: ")
    assert reason.endswith("; number_of_trips: must be at least 1")


def test_the_separator_stays_and_the_text_is_utf_8() -> None:
    content = ";".join(COLUMNS) + "\nÉCOLE;GVA;CDG;1;economy;;;;Zoë\n"
    text = rejected_file(content.encode("cp1252"))
    [_, row] = text.splitlines()
    assert row.startswith("ÉCOLE;GVA;CDG;1;economy;;;;Zoë;1;unit_institutional_id:")


def test_columns_of_an_earlier_rejection_are_passed_over_and_made_anew() -> None:
    first = rejected_file(",".join(COLUMNS) + "\n0827,GVA,CDG,1,economy,,,,\n")
    file = read_entries(PLANE, opening(first), SCOPE)
    assert not file.unread_columns
    assert rejected_file(first) == first
    mended = first.replace("0827,", "0828,", 1)
    batches = list(read_entries(PLANE, opening(mended), SCOPE).batches)
    assert batches[0].accepted["unit"].to_list() == ["0828"]


def test_what_the_header_has_no_column_for_comes_behind_the_reason() -> None:
    wide = f"{','.join(COLUMNS)}\n0828,GVA,CDG,1,economy,,,,note,more,,still more\n"
    [_, row] = csv.reader(io.StringIO(rejected_file(wide)))
    assert row[8:] == ["note", "1", "12 fields, and the header has 9", "more", "", "still more"]
    [_, again] = csv.reader(io.StringIO(rejected_file(rejected_file(wide))))
    assert again[8:10] == ["note", "1"]
    assert again[11:] == row[11:]


def test_rows_equal_but_for_their_reasons_are_equal() -> None:
    header = ",".join([*COLUMNS, "rejected_row", "rejected_reason"])
    row = "0828,GVA,CDG,1,economy,2024-03-25,,,"
    batches = list(read_entries(PLANE, opening(f"{header}\n{row},1,a\n{row},2,b\n"), SCOPE).batches)
    assert batches[-1].warned["row"].to_list() == [2]


@settings(deadline=None)
@given(
    value=st.text(st.characters(exclude_characters="\0\r", codec="utf-8"), max_size=9)
    | st.text(st.sampled_from("=+-@\t'\"1; ,\n"), max_size=6)
)
@example("\t'@,=\"")
def test_every_value_is_read_as_before_when_it_is_sent_again(value: str) -> None:
    # A line with one comma would look like a row of this file that a quote swallowed, and one with
    # three like a row of the file with reasons.
    assume(not any(line.count(",") in {1, 3} for line in value.split("\n")[1:]))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([["a", "b"], ["x", value]])
    file = read_text(opening(text.getvalue()), ["a"], ["b"])
    [batch] = file.batches
    originals = Originals(file.header)
    noted = pl.DataFrame([(1, "b", "", "why")], schema=batch.ragged.schema, orient="row")
    again = originals.first_line() + originals.lines(batch, noted)
    [batch_again] = read_text(opening(again), ["a"], ["b"]).batches
    before, after = (str(b.frame["b"][0] or "").strip() for b in (batch, batch_again))
    assert after == before


@pytest.mark.parametrize("value", ["=1+1", "+1+1", "@x", "-a", '=HYPERLINK("x")'])
def test_no_cell_of_a_file_of_rejected_rows_is_a_formula(value: str) -> None:
    content = f"{value},{','.join(COLUMNS)}\n{value},0827,GVA,CDG,1,economy,,,,{value}\n"
    for row in csv.reader(io.StringIO(rejected_file(content.replace('"x"', "x")))):
        assert not any(cell[:1] in {"=", "+", "-", "@"} for cell in row)


def test_rejected_rows_of_small_files_come_as_they_were_too() -> None:
    units = read_units(opening("name;unit_institutional_id\nPhysics;0828\nLaw;\n"))
    assert units.originals.first_line() + units.originals.lines(units.rejected) == (
        b"name;unit_institutional_id;rejected_row;rejected_reason\n"
        b"Law;;2;unit_institutional_id: is missing\n"
    )
    factor = ",".join(str({**ECONOMY, "max_distance": 0}[name]) for name in FACTOR_COLUMNS)
    text = f"{','.join(FACTOR_COLUMNS)}\n{factor}\n"
    factors = read_factors(PLANE, opening(text))
    said = "max_distance: must be larger than min_distance, or empty for no upper end"
    assert factors.originals.lines(factors.rejected).decode() == f'{factor},1,"{said}"\n'
