"""Rejected rows as a file: what came, why it was rejected, and nothing lost on the way back."""

import csv
import io

import polars as pl
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.worker_service.carbon.plane_files import ECONOMY, FACTOR_COLUMNS, PLANE, SCOPE, opening
from worker_service.carbon.csv_source.header import Header
from worker_service.carbon.csv_source.mended import Originals
from worker_service.carbon.csv_source.reading import TextBatch, read_text
from worker_service.carbon.csv_source.spreadsheet_text import inert_text
from worker_service.carbon.csv_source.widths import REJECTED, WideRecord
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


def in_python(header: Header, batch: TextBatch, rejected: pl.DataFrame) -> bytes:
    """What Originals.lines writes, by the csv module, a row at a time."""
    kept = [at for at in range(header.width) if at not in header.of_reasons]
    reasons: dict[int, dict[str, None]] = {}
    for row, column, _, reason in rejected.rows():
        said = f"{column}: {reason}" if column else reason
        reasons.setdefault(row, {})[said] = None
    found = [(number, fields) for *fields, number in batch.raw.rows()]
    found += [(record.row, record.fields) for record in batch.wide]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=header.separator, lineterminator="\n")
    for number, fields in sorted(found, key=lambda one: one[0]):
        if number in reasons:
            own = [inert_text(fields[at] or "") for at in kept]
            more = map(inert_text, fields[header.width :])
            writer.writerow([*own, number, inert_text("; ".join(reasons[number])), *more])
    return text.getvalue().encode()


# No field that is read has the beginning of a new line in it other than "\n".
TEXTS = st.text(st.characters(exclude_characters="\0\r", codec="utf-8"), max_size=6) | st.text(
    st.sampled_from("=+-@\t'\"1.e; ,|\n\x1c\x85\u3000"), max_size=5
)
MARKS = st.sampled_from([",", ";", "\t", "|", "^", "."])
ROWS = st.lists(st.lists(TEXTS | st.none(), min_size=3, max_size=3), max_size=5)
WIDE = st.lists(st.lists(TEXTS, min_size=4, max_size=5), max_size=2)
# The rows from 1 to 5 have fields of the header, those from 6 on more; 8 is of another batch.
REASONS = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from(["", "a", "b"]), TEXTS, TEXTS), max_size=9
)


@settings(deadline=None)
@given(mark=MARKS, rows=ROWS, wide=WIDE, reasons=REASONS, of_reasons=st.sets(st.integers(0, 2)))
def test_rejected_rows_are_written_as_the_csv_module_writes_them(
    mark: str,
    rows: list[list[str | None]],
    wide: list[list[str]],
    reasons: list[tuple[int, str, str, str]],
    of_reasons: set[int],
) -> None:
    header = Header(mark, 3, {}, (), ("x", "y", "z"), (), frozenset(of_reasons), 0)
    columns = {str(at): [row[at] for row in rows] for at in range(3)}
    raw = pl.DataFrame(columns, schema=dict.fromkeys("012", pl.String)).with_columns(
        row_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int32)
    )
    records = [WideRecord(at, fields, len(fields)) for at, fields in enumerate(wide, 6)]
    batch = TextBatch(pl.DataFrame(), pl.Series(), pl.DataFrame(), raw, records)
    noted = pl.DataFrame(reasons, schema=REJECTED, orient="row")
    assert Originals(header).lines(batch, noted) == in_python(header, batch, noted)


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
