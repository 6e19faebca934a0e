"""Of a file with a faulty row of every kind exactly these rows are rejected, whatever its type."""

import csv
import io
from collections.abc import Iterator, Mapping

import pytest

from tests.worker_service.carbon.plane_files import SCOPE, csv_of, opening
from worker_service.carbon.catalogue import MODULES
from worker_service.carbon.declarations import UNIT_COLUMN, Column, ColumnKind, DataEntryType
from worker_service.carbon.describe import template
from worker_service.carbon.parse.entries import entry_columns, read_entries

DECLARED = [one for of in MODULES for one in of.types if isinstance(one, DataEntryType)]
Row = dict[str, str]


def good_row(declared: DataEntryType) -> Row:
    """That of the template, of a unit that there is."""
    [row] = csv.DictReader(io.StringIO(template(declared)))
    return {**row, UNIT_COLUMN: "0828"}


def faulty_rows(declared: DataEntryType) -> Iterator[tuple[str, Row]]:
    """Each with the column that is at fault."""
    good = good_row(declared)
    yield UNIT_COLUMN, {**good, UNIT_COLUMN: "0000"}
    for column in entry_columns(declared, per_year=True):
        for value in faulty_values(column):
            yield column.name, {**good, column.name: value}


def faulty_values(column: Column) -> Iterator[str]:
    if column.required:
        yield ""
        yield "  "
    match column.kind:
        case ColumnKind.NUMBER | ColumnKind.INTEGER:
            yield from ("many", "0,8", "1'000", "NaN", "inf", "1e999", "#REF!")
            if column.kind is ColumnKind.INTEGER:
                yield "1.5"
            if column.minimum is not None:
                yield str(int(column.minimum) - 1)
            if column.more_than is not None:
                yield str(int(column.more_than))
            if column.maximum is not None:
                yield str(int(column.maximum) + 1)
        case ColumnKind.DATE:
            yield from ("31.12.2024", "2024-02-30", "2019-01-01", "soon")
        case ColumnKind.CHOICE:
            yield "nonsense"
        case ColumnKind.TEXT:
            return


def lines_of(rejected: bytes, columns: list[str]) -> list[Mapping[str, str]]:
    """The rows as they come back, without why."""
    found = csv.DictReader(io.StringIO(rejected.decode()), [*columns, "row", "reason"])
    return [{name: one[name] for name in columns} for one in found]


@pytest.mark.parametrize("declared", DECLARED, ids=lambda one: one.name)
def test_a_faulty_row_of_every_kind_comes_back_and_the_good_ones_count(
    declared: DataEntryType,
) -> None:
    good, faulty = good_row(declared), list(faulty_rows(declared))
    columns = [column.name for column in entry_columns(declared, per_year=True)]
    # What names a person may be in a unit once.
    rows, wrong = [], {}
    for number, (column, row) in enumerate(faulty):
        own = {name: f"{good[name]}{number}" for name in declared.unique}
        rows.append({**good, **{name: f"{value}9" for name, value in own.items()}})
        rows.append({**row, **{k: v for k, v in own.items() if k != column}})
        wrong[len(rows)] = (column, rows[-1])
    file = read_entries(declared, opening(csv_of(columns, rows)), SCOPE)
    batches = list(file.batches)
    found = {one["row"]: one["column"] for b in batches for one in b.rejected.to_dicts()}
    assert found == {row: column for row, (column, _) in wrong.items()}
    accepted = [row for b in batches for row in b.accepted["row_number"].to_list()]
    assert accepted == [row for row in range(1, len(rows) + 1) if row not in wrong]
    back = [one for b in batches for one in lines_of(b.rejected_lines, columns)]
    assert back == [{name: row.get(name, "") for name in columns} for _, row in wrong.values()]
    assert len(faulty) >= len(columns)
