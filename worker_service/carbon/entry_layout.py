"""Which values of entries have columns of their own in the ledger.

Entries of all types stand in one table with some columns of texts and some of numbers. A set of
entries says which keys stand in which of them, so a new data-entry type, or a column more, needs no
migration. What finds no room stands in the JSON object `extra`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import (
    OVERRIDE_KEY,
    ColumnKind,
    DataEntryType,
    field_of,
)

TEXT_COLUMNS = tuple(f"text_{number}" for number in range(1, 11))
NUMBER_COLUMNS = tuple(f"number_{number}" for number in range(1, 5))
NOTE = "note"

_NUMBERS = (ColumnKind.NUMBER, ColumnKind.INTEGER)


@dataclass(frozen=True, slots=True)
class EntryLayout:
    """The keys of the values in text_1, text_2, ... and in number_1, number_2, ... of a set.

    Without any, all values stand in `extra`, as sets of earlier builds have them.
    """

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that are used: texts, then numbers."""
        return (*TEXT_COLUMNS[: len(self.texts)], *NUMBER_COLUMNS[: len(self.numbers)])

    @property
    def schema(self) -> dict[str, type[pl.DataType]]:
        """The same columns in frames, in the same order, by the names that `compute` reads."""
        texts = {field_of(key): pl.String for key in self.texts}
        numbers = {field_of(key): pl.Float64 for key in self.numbers}
        return {**texts, **numbers}


WITHOUT_COLUMNS = EntryLayout()


def layout_of(declaration: DataEntryType) -> EntryLayout:
    """The layout in which new sets of a type are stored: values, the note and kilograms given."""
    numbers = [one.name for one in declaration.columns if one.kind in _NUMBERS]
    texts = [one.name for one in declaration.columns if one.kind not in _NUMBERS]
    return EntryLayout(
        _first([*texts, NOTE], len(TEXT_COLUMNS)),
        _first([*numbers, OVERRIDE_KEY], len(NUMBER_COLUMNS)),
    )


def _first(keys: Iterable[str], room: int) -> tuple[str, ...]:
    return tuple(keys)[:room]
