"""Outcomes: every entry has exactly one, so that none is silently counted as zero."""

from collections.abc import Mapping
from enum import StrEnum

import polars as pl


class EntryOutcome(StrEnum):
    """Stored by value."""

    COMPUTED = "computed"
    OVERRIDDEN = "overridden"
    NO_FACTOR = "no_factor"
    AMBIGUOUS_FACTOR = "ambiguous_factor"
    UNKNOWN_PLACE = "unknown_place"
    NO_ROOM = "no_room"
    NO_RATE = "no_rate"
    MISSING_VALUE = "missing_value"


# Their entries have kilograms.
BOOKED = (EntryOutcome.COMPUTED.value, EntryOutcome.OVERRIDDEN.value)


def without_kilograms(counts: Mapping[str, int]) -> int:
    """How many entries have no kilograms, from the numbers of entries by outcome."""
    return sum(number for outcome, number in counts.items() if outcome not in BOOKED)


def fail(
    frame: pl.DataFrame, where: pl.Expr, outcome: EntryOutcome, detail: pl.Expr
) -> pl.DataFrame:
    """Fills outcome and detail where a condition is true and there is no outcome yet."""
    fails = pl.col("outcome").is_null() & where
    return frame.with_columns(
        outcome=pl.when(fails).then(pl.lit(outcome.value)).otherwise("outcome"),
        detail=pl.when(fails).then(detail).otherwise("detail"),
    )


def doubt(keys: pl.DataFrame, doubtful: pl.DataFrame, column: str, reason: pl.Expr) -> pl.DataFrame:
    """Fills `doubted_column` and `doubt` of the `doubtful` ones where no earlier doubt stands.

    The reason goes on from "row 3, distance_km:" and brings no full stop. Texts cost more than
    comparing, so they are made for the doubtful keys alone.
    """
    if doubtful.is_empty():
        return keys
    found = doubtful.select("key_id", reason.alias("_found"))
    keys = keys.join(found, on="key_id", how="left", maintain_order="left")
    is_new = pl.col("doubt").is_null() & pl.col("_found").is_not_null()
    return keys.with_columns(
        doubted_column=pl.when(is_new).then(pl.lit(column)).otherwise("doubted_column"),
        doubt=pl.coalesce("doubt", "_found"),
    ).drop("_found")


def count_outcomes(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Counts outcomes: a frame of entry_set, unit, outcome, entry_count."""
    return (
        outcomes.group_by("entry_set", "unit", "outcome")
        .agg(pl.len().cast(pl.Int64).alias("entry_count"))
        .sort("entry_set", "unit", "outcome")
    )


def uncomputed(outcomes: pl.DataFrame) -> pl.DataFrame:
    """The entries without emissions, with the reason in `detail`."""
    return outcomes.filter(~pl.col("outcome").is_in(BOOKED))
