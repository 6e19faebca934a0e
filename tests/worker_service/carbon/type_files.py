"""Files of any data-entry type, and the whole pure way from them to emissions."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import polars as pl

from tests.worker_service.carbon.plane_files import SCOPE, csv_of, opening
from worker_service.carbon.compute import Computed, compute
from worker_service.carbon.declarations import DataEntryType, References, UnitSums
from worker_service.carbon.parse.entries import EntryBatch, EntryScope, entry_columns, read_entries
from worker_service.carbon.parse.factors import ParsedFactors, read_factors
from worker_service.carbon.parse.reference_rows import read_reference_rows
from worker_service.carbon.parse.references import read_locations
from worker_service.carbon.parse.values import comparison_key
from worker_service.carbon.reference_kinds import REFERENCE_KINDS, YEAR_COLUMN
from worker_service.carbon.reference_lookup import reference_frame
from worker_service.carbon.stored import entries_from_stored, stored_entries
from worker_service.carbon.totals import LeafSum, roll_up
from worker_service.carbon.unit_sums import ModuleKilograms, SumsOfUnits, sums_of, with_sums

NO_ROWS = pl.DataFrame(schema={"key": pl.String, "year": pl.Int16, "data": pl.String})
Rows = Iterable[Mapping[str, object]]


def references_of(files: Mapping[str, Sequence[Mapping[str, object]]]) -> References:
    """Reference data from the rows of their files, by transport mode or kind.

    Rows of a kind with years are of the year of the file.
    """
    found = {}
    if stations := files.get("train", ()):
        content = csv_of(list(stations[0]), stations)
        found["locations"] = read_locations("train", opening(content)).accepted
    for kind in REFERENCE_KINDS.values():
        own = {YEAR_COLUMN: SCOPE.year} if kind.has_years else {}
        rows = [{**own, **row} for row in files.get(kind.name, ())]
        content = csv_of([column.name for column in kind.columns], rows)
        stored = read_reference_rows(kind, opening(content)).accepted if rows else NO_ROWS
        found[kind.name] = reference_frame(kind, stored.filter(in_year(SCOPE.year)))
    return found


def in_year(year: int) -> pl.Expr:
    """Whether a row of reference data counts in a year."""
    return pl.col("year").is_null() | (pl.col("year") == year)


def read_rows(declared: DataEntryType, rows: Rows, scope: EntryScope = SCOPE) -> EntryBatch:
    """The rows of a file of unit 0828; the batch about the whole file is left out."""
    columns = [column.name for column in entry_columns(declared, per_year=True)]
    content = csv_of(columns, ({"unit_institutional_id": "0828", **row} for row in rows))
    [batch, _] = list(read_entries(declared, opening(content), scope).batches)
    return batch


def read_factor_rows(declared: DataEntryType, rows: Rows) -> ParsedFactors:
    """The rows of a factor file."""
    of = declared.factors
    columns = [column.name for column in (*of.classification, *of.values)]
    return read_factors(declared, opening(csv_of(columns, rows)))


def stored_again(declared: DataEntryType, accepted: pl.DataFrame) -> pl.DataFrame:
    """Through the stored form and back, as the ledger would give them."""
    stored = stored_entries(declared, accepted)
    return entries_from_stored(
        declared, stored.select(pl.lit(1, pl.Int64).alias("entry_set"), pl.all())
    )


def factors_in_force(parsed: ParsedFactors) -> pl.DataFrame:
    """The accepted factors of a file, none of them stale, each with its row as its id."""
    return parsed.accepted.drop("classification", "values", "emission_type").with_columns(
        factor_id=pl.col("row_number").cast(pl.Int64),
        version=pl.lit(1, pl.Int32),
        stale=pl.lit(value=False),
        stale_token=pl.lit(0, pl.Int64),
    )


def computed_from(
    declared: DataEntryType,
    rows: Rows,
    factors: Rows,
    references: References,
    totals: Mapping[str, Mapping[str, float]] = {},
) -> Computed:
    """What rows of an activity file come to, with the rows of a factor file.

    `totals` are kilograms by unit and node of the emission tree.
    """
    entries = stored_again(declared, read_rows(declared, rows).accepted)
    in_force = factors_in_force(read_factor_rows(declared, factors))
    if declared.unit_sums is not None:
        in_force = with_sums(declared.unit_sums, in_force, _sums(declared.unit_sums, totals))
    return compute(declared, entries, in_force, references)


def _sums(declared: UnitSums, totals: Mapping[str, Mapping[str, float]]) -> SumsOfUnits:
    leaves = [
        LeafSum(unit, node, Decimal(str(kg)))
        for unit, nodes in totals.items()
        for node, kg in nodes.items()
    ]
    return {
        comparison_key(one.unit): sums_of(
            declared,
            [ModuleKilograms(one.total, {k: float(kg) for k, kg in one.by_emission_type.items()})],
        )
        for one in roll_up(leaves)
    }
