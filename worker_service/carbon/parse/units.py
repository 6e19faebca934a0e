"""Finds the unit of each row of an activity file."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.plain_digits import plain_digits
from worker_service.carbon.csv_source.shown import shown, shown_text
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.declarations import UNIT_COLUMN, Column, Normalisation
from worker_service.carbon.lookalikes import foreign_letters
from worker_service.carbon.parse.rows import CheckedRows, check_rows, merged_rejections
from worker_service.carbon.parse.unit_hints import UnitHints, likeness, number_made_of
from worker_service.carbon.parse.values import (
    as_comparison_key,
    comparison_key,
    comparison_keys,
    trimmed,
)

UNIT = Column(UNIT_COLUMN, normalisation=Normalisation.KEY, example="0828")
# Of so many different ids that are no units, in a batch, it is asked what they mean.
HINTED_IDS_MAX = 200
# More of them in a file of units are not listed, but counted.
DOUBTFUL_UNITS_MAX = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class DoubtfulUnits:
    """`rows` of a file of units that are doubtful, and the first of them with their reasons.

    listed: row, column, value, reason.
    """

    rows: frozenset[int]
    listed: pl.DataFrame


def doubtful_units(accepted: pl.DataFrame, known: Collection[str]) -> DoubtfulUnits:
    """New units that look like another one, badly written.

    accepted: row_number, unit_id. The other one is `known`, or is new in the same file.
    """
    there = frozenset(comparison_keys(list(known)))
    units = accepted["unit_id"].to_list()
    numbered = zip(accepted["row_number"].to_list(), units, comparison_keys(units), strict=True)
    new = [(row, unit) for row, unit, key in numbered if key not in there]
    well_written = _well_written(new, known)
    hints = UnitHints([*known, *well_written])
    plain = frozenset(comparison_keys([one for one in (*known, *units) if not number_made_of(one)]))
    rows: set[int] = set()
    listed: list[tuple[int, str, str, str]] = []
    for row, unit in new:
        if hint := hints.misread(unit) if unit in well_written else hints.hint(unit):
            pass
        elif plain and (written := number_made_of(unit)) and written not in plain:
            hint = f"a spreadsheet may have written {written} as a number"
        if hint:
            rows.add(row)
            if len(listed) < DOUBTFUL_UNITS_MAX:
                listed.append((row, UNIT_COLUMN, shown_text(unit), f"is a new unit; {hint}"))
    return DoubtfulUnits(
        frozenset(rows), merged_rejections([pl.DataFrame(listed, schema=REJECTED, orient="row")])
    )


def _well_written(new: Sequence[tuple[int, str]], known: Collection[str]) -> frozenset[str]:
    """New units that are like none but themselves, and of those alike the best written one."""
    best: dict[object, tuple[bool, bool, bool, int, str]] = {}
    taken = {likeness(unit) for unit in known} - {None}
    for row, unit in new:
        same = likeness(unit)
        if same in taken:
            continue
        is_plain = plain_digits(unit) == unit and not foreign_letters(unit)
        is_digits = unit.isascii() and unit.isdecimal()
        # A zero may be lost, and is never added.
        rank = (not is_plain, not is_digits, not unit.startswith("0"), row, unit)
        alike = unit if same is None else same
        best[alike] = min(best.get(alike, rank), rank)
    return frozenset(unit for *_, unit in best.values())


class KnownUnits:
    """The units that a file may name: those of the institution, or only one."""

    def __init__(self, units: Collection[str], only: str | None) -> None:
        """`only` is the unit that the file was uploaded for, None for all units."""
        allowed = list(units) if only is None else [only]
        self._spelt = dict(zip(comparison_keys(allowed), allowed, strict=True))
        self._hints = UnitHints(allowed)
        self._all = frozenset(comparison_keys(list(units)))
        self._only = only

    def found(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """row_number and unit of the rows with a known unit, and the rejections of the others."""
        checked = check_rows(frame, (UNIT,)) if self._only is None else self._named(frame)
        looked_up = checked.accepted.with_columns(
            unit=pl.col(UNIT_COLUMN).replace_strict(
                list(self._spelt), list(self._spelt.values()), default=None, return_dtype=pl.String
            )
        )
        strangers = looked_up.filter(pl.col("unit").is_null())
        known = looked_up.filter(pl.col("unit").is_not_null()).select("row_number", "unit")
        return known, merged_rejections([checked.rejected, self._rejected(strangers, frame)])

    def _named(self, frame: pl.DataFrame) -> CheckedRows:
        # A file for one unit need not name it.
        rows = frame.select("row_number", trimmed(UNIT_COLUMN).fill_null(self._only))
        named = rows.with_columns(as_comparison_key(pl.col(UNIT_COLUMN)))
        return CheckedRows(named, merged_rejections([]))

    def _rejected(self, strangers: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
        if strangers.is_empty():
            return merged_rejections([])
        written = strangers.select("row_number").join(
            frame.select("row_number", UNIT_COLUMN), on="row_number", maintain_order="left"
        )
        ids = pl.col(UNIT_COLUMN)
        distinct = written[UNIT_COLUMN].unique(maintain_order=True).head(HINTED_IDS_MAX).to_list()
        reasons = [self._reason(text) for text in distinct]
        reason = ids.replace_strict(
            distinct, reasons, default=self._reason(""), return_dtype=pl.String
        )
        return written.select(
            pl.col("row_number").cast(pl.Int64).alias("row"),
            pl.lit(UNIT_COLUMN).alias("column"),
            shown(ids).alias("value"),
            reason.alias("reason"),
        )

    def _reason(self, written: str) -> str:
        # Another unit of the institution is not a badly written one.
        is_one = comparison_key(written.strip()) in self._all
        hint = "" if is_one else self._hints.hint(written.strip())
        if self._only is not None:
            reason = f"is another unit than {self._only}, which the file was uploaded for"
        else:
            reason = "is not a unit of the institution"
        return f"{reason}; {hint}" if hint else reason
