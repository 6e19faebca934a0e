"""Reads where the units of a file stand in the tree of units."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.parse.references import PARENT_COLUMN
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.tables import ParsedTable
from worker_service.carbon.parse.unit_hints import UnitHints
from worker_service.carbon.parse.units import (
    DOUBTFUL_UNITS_MAX,
    HINTED_IDS_MAX,
    DoubtfulUnits,
)
from worker_service.carbon.parse.values import comparison_keys


@dataclass(frozen=True, slots=True, eq=False)
class UnitPlaces:
    """The parent of each unit that the file places, None at the top. The others stay where they
    are: a file without the column, or a mapping that sets it, says nothing, and `unknown` are those
    with a parent that nobody knows.
    """

    parents: Mapping[str, str | None]
    unknown: DoubtfulUnits


def unit_places(parsed: ParsedTable, known: Collection[str]) -> UnitPlaces:
    """`known` are the ids of the institution's units; a parent is one of them, or in the file."""
    if PARENT_COLUMN not in parsed.originals.header.given:
        return UnitPlaces({}, DoubtfulUnits(frozenset(), merged_rejections([])))
    rows = parsed.accepted.select("row_number", "unit_id", PARENT_COLUMN)
    units = [*known, *rows["unit_id"].to_list()]
    there = frozenset(comparison_keys(units))
    hints = UnitHints(units)
    parents: dict[str, str | None] = {}
    rows_of_unknown: set[int] = set()
    listed: list[tuple[int, str, str, str]] = []
    written = comparison_keys([parent or "" for parent in rows[PARENT_COLUMN].to_list()])
    for (number, unit, parent), key in zip(rows.iter_rows(), written, strict=True):
        if parent is None or key in there:
            parents[unit] = parent
            continue
        rows_of_unknown.add(number)
        if len(listed) < DOUBTFUL_UNITS_MAX:
            hint = hints.hint(parent) if len(listed) < HINTED_IDS_MAX else ""
            reason = "is not a unit, so the unit stays where it is in the tree"
            reason = f"{reason}; {hint}" if hint else reason
            listed.append((number, PARENT_COLUMN, shown_text(parent), reason))
    warnings = merged_rejections([pl.DataFrame(listed, schema=REJECTED, orient="row")])
    return UnitPlaces(parents, DoubtfulUnits(frozenset(rows_of_unknown), warnings))
