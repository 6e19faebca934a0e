"""Values of entries come back from the ledger's columns, or from beside them, as they were."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_service.carbon import entry_layout
from worker_service.carbon.catalogue import MODULES
from worker_service.carbon.declarations import ColumnKind, DataEntryType
from worker_service.carbon.entry_layout import EntryLayout, layout_of
from worker_service.carbon.stored import (
    entries_from_stored,
    json_objects,
    stored_again,
    stored_entries,
    stored_keys,
)

TYPES = [one for module in MODULES for one in module.types if isinstance(one, DataEntryType)]
VALUES = {
    ColumnKind.TEXT: st.text(st.sampled_from('a",\n\\{}:é'), min_size=1, max_size=5),
    ColumnKind.CHOICE: st.sampled_from(["economy", "kwh"]),
    ColumnKind.DATE: st.dates(),
    ColumnKind.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    ColumnKind.INTEGER: st.integers(0, 2**53),
}
DTYPES = {
    ColumnKind.DATE: pl.Date,
    ColumnKind.NUMBER: pl.Float64,
    ColumnKind.INTEGER: pl.Int64,
}
COMMON = {"note": pl.String, "kg_co2eq": pl.Float64}


@st.composite
def accepted_rows(draw: st.DrawFn) -> tuple[DataEntryType, pl.DataFrame]:
    """Rows of a type as they come from a file, with any values missing."""
    declared = draw(st.sampled_from(TYPES))
    schema = {one.field: DTYPES.get(one.kind, pl.String) for one in declared.columns}
    of_row = {one.field: st.none() | VALUES[one.kind] for one in declared.columns}
    of_row["note"] = st.none() | VALUES[ColumnKind.TEXT]
    of_row["kg_co2eq"] = st.none() | st.just(0.0) | VALUES[ColumnKind.NUMBER]
    rows = draw(st.lists(st.fixed_dictionaries(of_row), min_size=1, max_size=3))
    frame = pl.DataFrame(rows, schema={**schema, **COMMON}, orient="row")
    return declared, frame.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("row_number"),
        pl.lit("0828").alias("unit"),
        pl.all(),
    )


def as_before(declared: DataEntryType, stored: pl.DataFrame) -> pl.DataFrame:
    """The same rows as builds without columns stored them: all values in one object."""
    columns = layout_of(declared)
    names = zip((*columns.texts, *columns.numbers), columns.schema, strict=True)
    objects = json_objects(stored.select(pl.col(field).alias(key) for key, field in names))
    return stored.select("row_number", "unit", objects.alias("extra"))


@given(accepted_rows(), st.integers(0, 10), st.integers(0, 4))
def test_values_come_back_wherever_they_stand(
    rows: tuple[DataEntryType, pl.DataFrame], texts: int, numbers: int
) -> None:
    declared, accepted = rows
    fits = stored_entries(declared, accepted)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(entry_layout, "TEXT_COLUMNS", entry_layout.TEXT_COLUMNS[:texts])
        patched.setattr(entry_layout, "NUMBER_COLUMNS", entry_layout.NUMBER_COLUMNS[:numbers])
        narrow = stored_entries(declared, accepted)
    wanted = accepted.select(
        pl.lit(7, pl.Int64).alias("entry_set"),
        "row_number",
        "unit",
        *(
            pl.col(one.field).dt.to_string("iso") if one.kind is ColumnKind.DATE else one.field
            for one in declared.columns
        ),
        pl.col("kg_co2eq").alias(list(stored_keys(declared))[-1]),
    )
    for stored in (fits, narrow, as_before(declared, fits)):
        there = stored.select(pl.lit(7, pl.Int64).alias("entry_set"), pl.all())
        assert entries_from_stored(declared, there).equals(wanted)
        # What digests are made of is the same, so that rows of two layouts are compared.
        assert stored_again(declared, stored).equals(fits)


@pytest.mark.parametrize("declared", TYPES, ids=lambda one: one.name)
def test_the_values_of_each_type_have_columns(declared: DataEntryType) -> None:
    keys = {*(one.name for one in declared.columns), "note", list(stored_keys(declared))[-1]}
    layout = layout_of(declared)
    assert {*layout.texts, *layout.numbers} == keys, "add columns of entries by a migration"


def test_a_layout_names_the_columns_of_the_table() -> None:
    layout = EntryLayout(("unit", "note"), ("quantity",))
    assert layout.columns == ("text_1", "text_2", "number_1")
    assert list(layout.schema) == ["quantity_unit", "note", "quantity"]
