"""Files of factors, places, units and rows under other names give the rows of our own names."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker_service.carbon.plane_files import PLANE, csv_of, opening
from worker_service.carbon.csv_source.byte_stream import Open
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.file_mapping import FileMapping
from worker_service.carbon.parse.factors import factor_columns, read_factors
from worker_service.carbon.parse.reference_rows import read_reference_rows
from worker_service.carbon.parse.references import (
    LOCATION_COLUMNS,
    UNIT_COLUMNS,
    read_locations,
    read_units,
)
from worker_service.carbon.reference_kinds import RATES, ROOMS

Reader = Callable[[Open, FileMapping], Any]
READERS: Mapping[str, tuple[Sequence[Column], Reader]] = {
    "factors": (factor_columns(PLANE), partial(read_factors, PLANE)),
    "airports": (LOCATION_COLUMNS["plane"], partial(read_locations, "plane")),
    "stations": (LOCATION_COLUMNS["train"], partial(read_locations, "train")),
    "units": (UNIT_COLUMNS, read_units),
    "rates": (RATES.columns, partial(read_reference_rows, RATES)),
    "rooms": (ROOMS.columns, partial(read_reference_rows, ROOMS)),
}
NUMBERS = (ColumnKind.NUMBER, ColumnKind.INTEGER)


def values_of(column: Column) -> st.SearchStrategy[Any]:
    match column.kind:
        case ColumnKind.NUMBER:
            return st.decimals(0, 2_000, places=3).map(float)
        case ColumnKind.INTEGER:
            return st.integers(2_000, 2_050)
        case ColumnKind.CHOICE:
            return st.sampled_from([*column.choices, "hammock"])
        case _:
            return st.sampled_from(["A", "gva", "Genève, Ville", "", 'say "so"'])


def theirs(column: Column, value: Any) -> str:
    if column.kind in NUMBERS:
        return f"{value:,.3f}".translate(str.maketrans(",.", ".,"))
    return f"My {value}" if value in column.choices else str(value)


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_file_under_other_names_gives_the_same_rows(kind: str, data: st.DataObject) -> None:
    columns, read = READERS[kind]
    one_row = st.fixed_dictionaries({column.name: values_of(column) for column in columns})
    rows = data.draw(st.lists(one_row, min_size=1, max_size=6))
    names = [column.name for column in columns]
    order = data.draw(st.permutations(columns))
    ours = csv_of(names, [{name: str(row[name]) for name in names} for row in rows])
    table = pl.DataFrame(
        [[theirs(column, row[column.name]) for column in order] for row in rows],
        schema=[f"Their {column.name}" for column in order],
        orient="row",
    )
    mapping = FileMapping(
        columns={f"Their {name}": name for name in names},
        values={
            column.name: {f"My {choice}": choice for choice in column.choices}
            for column in columns
            if column.kind is ColumnKind.CHOICE
        },
        decimal="comma",
    )

    def outcome(text: str, mapping: FileMapping) -> object:
        try:
            found = read(opening(text), mapping)
        except RefusedFile as refused:
            return refused.cause
        assert isinstance(found.accepted, pl.DataFrame)
        return found.accepted.to_dicts(), found.rejected.select("row", "column").to_dicts()

    mine = outcome(ours, FileMapping())
    assert outcome(table.write_csv(), mapping) == mine


@pytest.mark.parametrize("kind", READERS)
def test_a_constant_stands_in_each_row_of_a_column_that_the_file_lacks(kind: str) -> None:
    columns, read = READERS[kind]
    chosen = random.Random(kind).choice([column for column in columns if column.required])
    row = {column.name: column.example for column in columns}
    ours = csv_of([column.name for column in columns], [row])
    others = {name: value for name, value in row.items() if name != chosen.name}
    without = csv_of(list(others), [others])
    mapping = FileMapping(constants={chosen.name: chosen.example})
    accepted = read(opening(without), mapping).accepted
    assert accepted.to_dicts() == read(opening(ours), FileMapping()).accepted.to_dicts()
    assert accepted.height == 1


@pytest.mark.parametrize("kind", READERS)
def test_a_mapping_that_no_such_file_can_have_is_refused(kind: str) -> None:
    columns, read = READERS[kind]
    text = csv_of([column.name for column in columns], [])
    for mapping, said in (
        (FileMapping(columns={"x": "hammock"}), "names a column hammock"),
        (FileMapping(columns={"x": columns[0].name}), "names a column that the file does not"),
    ):
        with pytest.raises(RefusedFile, match=said) as refused:
            read(opening(text), mapping)
        assert refused.value.cause is Cause.MAPPING


def test_a_constant_that_each_row_would_be_rejected_for_is_refused() -> None:
    mapping = FileMapping(constants={"latitude": "100"})
    with pytest.raises(RefusedFile, match="sets latitude to 100, and it must be"):
        read_locations("plane", opening("iata,longitude\nGVA,6\n"), mapping)
