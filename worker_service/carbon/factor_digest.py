"""Recognises factors that fit the same entries as before, whatever their values are."""

import hashlib

import polars as pl

from worker_service.carbon.declarations import OF_FACTOR, DataEntryType
from worker_service.carbon.matching import MatchByKind


def fitting_digest(declared: DataEntryType, factors: pl.DataFrame) -> str:
    """A digest of all that decides which factor fits an entry.

    factors: as for `compute`, in any order. While the digest is the same, each entry finds the
    same factor, or none for the same reason. So only entries whose factor has another version have
    other emissions. Matching that does not say what it compares is taken to compare everything.
    Values that decide whether an entry has a row of emissions count, since no row may name them.
    """
    matching = declared.matching
    # When a factor was changed decides nothing.
    left_out = {"changed_token"}
    # Which values a conversion reads depends on the units of both.
    if isinstance(matching, MatchByKind) and matching.conversion is None:
        values = {column.name for column in declared.factors.values}
        left_out |= {"version", *(values - matching.factor_columns - _of_rows(declared))}
    decides = [name for name in sorted(factors.columns) if name not in left_out]
    text = factors.select(decides).sort("factor_id").write_csv()
    return hashlib.sha256(text.encode()).hexdigest()


def _of_rows(declared: DataEntryType) -> set[str]:
    conditions = [row.when for row in declared.formula.rows if row.when is not None]
    names = {name for one in conditions for name in one.meta.root_names()}
    return {name.removesuffix(OF_FACTOR) for name in names}
