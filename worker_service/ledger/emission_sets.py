"""Emissions in sets: one per set of entries, with the versions of its inputs.

A claim makes sets in state LOADING, one per set of entries that it computes. `publish_emissions`
moves them to PUBLISHED and the ones that they replace to RETIRED, in one transaction. The collector
deletes the rows of sets that are RETIRED, or LOADING and left behind by their claim.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from worker_service.carbon.declarations import UnitSums
from worker_service.ledger.entry_sets import PublishedSet, published_sets
from worker_service.ledger.errors import PublicationMismatch
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.fences import read_tokens
from worker_service.ledger.frames import copy_in
from worker_service.ledger.input_versions import factors_input, newest_change
from worker_service.ledger.pool import Connection
from worker_service.ledger.sums_of_units import references_number

EMISSION_COLUMNS = [
    "tenant",
    "emission_set",
    "entry_set",
    "row_number",
    "part",
    "scope",
    "factor_version",
    "overridden",
    "kg",
    "additional_value",
    "factor_id",
    "unit",
    "emission_type",
]
UNCOMPUTED_COLUMNS = [*EMISSION_COLUMNS[:4], "unit", "outcome", "detail"]

PUBLISHED = """
SELECT emission_set, entry_set, formula_version, entries_token, factors_token, references_token,
    is_summed, factors_digest, lists_factor_uses
FROM carbon.emission_sets
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND state = 'PUBLISHED'
"""
OPEN_SET = """
INSERT INTO carbon.emission_sets (
    tenant, emission_set, entry_set, module, data_entry_type, year, state, formula_version,
    entries_token, factors_token, references_token, last_row_number, factors_digest,
    made_at
)
VALUES ($1, $2, $3, $4, $5, $6, 'LOADING', $7, $8, $9, $10, $11, $12, carbon.clock())
ON CONFLICT (tenant, emission_set, entry_set) DO NOTHING
"""
# See the statement of this name in `entry_sets`.
STILL_LOADING = """
UPDATE carbon.emission_sets SET made_at = carbon.clock()
WHERE tenant = $1 AND emission_set = $2 AND state = 'LOADING'
    AND made_at < (SELECT carbon.clock()) - interval '1 hour'
"""
ADD_COUNTS = """
INSERT INTO carbon.outcome_counts (tenant, emission_set, entry_set, unit, outcome, entry_count)
SELECT $1, $2, n.*
FROM unnest(
    CAST($3 AS bigint[]), CAST($4 AS text[]), CAST($5 AS text[]), CAST($6 AS bigint[])
) AS n (entry_set, unit, outcome, entry_count)
ON CONFLICT (tenant, emission_set, entry_set, unit, outcome)
    DO UPDATE SET entry_count = excluded.entry_count
"""
NOTE_SUMS = """
UPDATE carbon.emission_sets AS s
SET total_kg = n.total_kg, entries_without_kg = n.entries_without_kg
FROM unnest(
    CAST($3 AS bigint[]), CAST($4 AS double precision[]), CAST($5 AS bigint[])
) AS n (entry_set, total_kg, entries_without_kg)
WHERE s.tenant = $1 AND s.emission_set = $2 AND s.entry_set = n.entry_set
"""
RETIRE = """
UPDATE carbon.emission_sets
SET state = 'RETIRED', retired_at = carbon.clock(), retired_by = $5
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND state = 'PUBLISHED'
    AND emission_set <> $5 AND NOT entry_set = ANY(CAST($4 AS bigint[]))
"""
PUBLISH = """
UPDATE carbon.emission_sets
SET state = 'PUBLISHED', published_at = carbon.clock()
WHERE tenant = $1 AND emission_set = $2 AND state = 'LOADING'
"""
OUTCOMES = """
SELECT c.outcome, CAST(sum(c.entry_count) AS bigint) AS entry_count
FROM carbon.outcome_counts AS c
JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
WHERE s.tenant = $1 AND s.data_entry_type = $2 AND s.year = $3 AND s.state = 'PUBLISHED'
GROUP BY c.outcome
ORDER BY c.outcome
"""
SAMPLE = """
SELECT u.outcome, u.detail, count(*) AS entry_count
FROM (
    SELECT n.outcome, n.detail
    FROM carbon.uncomputed_entries AS n
    JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
    WHERE s.tenant = $1 AND s.data_entry_type = $2 AND s.year = $3 AND s.state = 'PUBLISHED'
    LIMIT 100000
) AS u
GROUP BY u.outcome, u.detail
ORDER BY entry_count DESC, u.outcome, u.detail
LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class EmissionSlice:
    """The emissions of one tenant, data-entry type and year."""

    tenant: str
    module: int
    data_entry_type: int
    year: int

    @property
    def ledger_scope(self) -> str:
        """The ledger scope whose fence guards these emissions."""
        return emissions_ledger_scope(self.data_entry_type, self.year)

    @property
    def factors(self) -> FactorSlice:
        """The factors of the same tenant, type and year."""
        return FactorSlice(self.tenant, self.data_entry_type, self.year)


@dataclass(frozen=True, slots=True)
class InputState:
    """What the emissions of a set depend on, beside its entries.

    Equal states of the same entries give equal emissions. Tokens are those of the claims that
    changed the factors and the reference data last; `references_token` is a `references_number`.
    """

    formula_version: str
    factors_token: int
    references_token: int


@dataclass(frozen=True, slots=True)
class StandingSet:
    """Published emissions of a set of entries for which only factors have changed since.

    `factors_digest` is the `fitting_digest` of the factors that they were computed with. None: it
    is not known. `factors_token` is that of the newest change of these, and `lists_factor_uses`
    whether the rows of each factor are listed (`factor_uses`).
    """

    emission_set: int
    entries: PublishedSet
    factors_digest: str | None
    factors_token: int
    lists_factor_uses: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recalculation has to do.

    `compute`: sets of entries to compute. `keep`: sets whose emissions are up to date. `goes` is
    true if emissions are published whose entries do not count any more. `tokens_read` are the
    fence's tokens at the time of the snapshot, for `publication`. `standing` are those of `compute`
    of which a patch may do; `patched` those of which it does, and they are in `compute` no more.
    """

    inputs: InputState
    compute: Sequence[PublishedSet]
    keep: Sequence[PublishedSet]
    goes: bool
    tokens_read: Mapping[str, int]
    standing: Sequence[StandingSet] = ()
    patched: Sequence[StandingSet] = ()

    @property
    def nothing_to_do(self) -> bool:
        """Whether the published emissions are what would be computed."""
        return not self.compute and not self.goes and not self.patched

    @property
    def stays(self) -> list[PublishedSet]:
        """The sets of entries whose emissions stay published."""
        return [*self.keep, *(one.entries for one in self.patched)]


def emissions_ledger_scope(data_entry_type: int, year: int) -> str:
    """The ledger scope of the emissions of a type and year."""
    return f"emissions/{data_entry_type}/{year}"


async def plan_emissions(
    conn: Connection,
    of: EmissionSlice,
    formula_version: str,
    references: Sequence[str],
    sums: UnitSums | None = None,
) -> Plan:
    """Compares published emissions with their inputs. Call it within a snapshot.

    `references` are the kinds of reference data that the formula reads, `sums` what its factors
    take from totals.
    """
    slice_ = (of.tenant, of.data_entry_type, of.year)
    tokens_read = await read_tokens(conn, of.tenant, [of.ledger_scope])
    factors = await newest_change(conn, of.tenant, [factors_input(of.data_entry_type, of.year)])
    reference = await references_number(conn, of.factors, references, sums)
    inputs = InputState(formula_version, factors, reference)
    entries = await published_sets(conn, *slice_)
    stands = await _stands(conn, of)
    keep = [
        one for one in entries if _state(stands.get(one.entry_set)) == (inputs, one.changed_token)
    ]
    kept = {one.entry_set for one in keep}
    counting = {one.entry_set for one in entries}
    compute = [one for one in entries if one.entry_set not in kept]
    return Plan(
        inputs=inputs,
        compute=compute,
        keep=keep,
        goes=bool(stands.keys() - counting),
        tokens_read=tokens_read,
        standing=list(_standing(compute, stands, inputs)),
    )


async def standing_sets(
    conn: Connection,
    of: EmissionSlice,
    formula_version: str,
    references: Sequence[str],
    sums: UnitSums | None = None,
) -> list[StandingSet]:
    """The sets that stand, whatever has changed of the factors. Call it within a snapshot."""
    reference = await references_number(conn, of.factors, references, sums)
    entries = await published_sets(conn, of.tenant, of.data_entry_type, of.year)
    inputs = InputState(formula_version, 0, reference)
    return list(_standing(entries, await _stands(conn, of), inputs))


async def _stands(conn: Connection, of: EmissionSlice) -> dict[int, Mapping[str, Any]]:
    rows = await conn.fetch(PUBLISHED, of.tenant, of.data_entry_type, of.year)
    return {row["entry_set"]: dict(row) for row in rows}


def _state(row: Mapping[str, Any] | None) -> tuple[InputState, int] | None:
    """What published emissions were computed from."""
    if row is None:
        return None
    inputs = InputState(row["formula_version"], row["factors_token"], row["references_token"])
    return inputs, row["entries_token"]


def _standing(
    entries: Sequence[PublishedSet], stands: Mapping[int, Mapping[str, Any]], inputs: InputState
) -> Iterator[StandingSet]:
    for one in entries:
        row = stands.get(one.entry_set)
        if row is None or not row["is_summed"]:
            continue
        state, entries_token = _state(row) or (inputs, 0)
        but_for_factors = replace(state, factors_token=inputs.factors_token)
        if (but_for_factors, entries_token) == (inputs, one.changed_token):
            yield StandingSet(
                row["emission_set"],
                one,
                row["factors_digest"],
                row["factors_token"],
                row["lists_factor_uses"],
            )


async def open_emission_sets(
    conn: Connection,
    of: EmissionSlice,
    emission_set: int,
    sets: Sequence[PublishedSet],
    inputs: InputState,
    factors_digest: str | None = None,
) -> None:
    """Makes an empty set of emissions, in state LOADING, for each set of entries, if any.

    `factors_digest` is the `fitting_digest` of the factors. Without it the sets are never patched.
    """
    await conn.executemany(
        OPEN_SET,
        [
            (
                of.tenant,
                emission_set,
                entries.entry_set,
                of.module,
                of.data_entry_type,
                of.year,
                inputs.formula_version,
                entries.changed_token,
                inputs.factors_token,
                inputs.references_token,
                entries.last_row_number,
                factors_digest,
            )
            for entries in sets
        ],
    )


def emission_rows(tenant: str, emission_set: int, emissions: pl.DataFrame) -> pl.DataFrame:
    """The rows of carbon.emissions for computed emissions. `part` numbers those of one entry."""
    part = pl.int_range(pl.len(), dtype=pl.Int16).over("entry_set", "row_number")
    one_each = not emissions.select(
        pl.struct("entry_set", "row_number").is_duplicated().any()
    ).item()
    return emissions.select(
        pl.lit(tenant).alias("tenant"),
        pl.lit(emission_set).alias("emission_set"),
        "entry_set",
        "row_number",
        (pl.lit(0, pl.Int16) if one_each else part).alias("part"),
        *EMISSION_COLUMNS[5:],
    )


def uncomputed_rows(tenant: str, emission_set: int, uncomputed: pl.DataFrame) -> pl.DataFrame:
    """The rows of carbon.uncomputed_entries for entries without emissions."""
    return uncomputed.select(
        pl.lit(tenant).alias("tenant"),
        pl.lit(emission_set).alias("emission_set"),
        "entry_set",
        "row_number",
        "unit",
        "outcome",
        pl.col("detail").fill_null(""),
    )


async def load_emissions(
    conn: Connection, tenant: str, emission_set: int, emissions: bytes, uncomputed: bytes
) -> None:
    """Adds a batch to sets in state LOADING. The last two arguments are made by `frame_bytes`."""
    await conn.execute(STILL_LOADING, tenant, emission_set)
    if emissions:
        await copy_in(conn, "emissions", EMISSION_COLUMNS, emissions)
    if uncomputed:
        await copy_in(conn, "uncomputed_entries", UNCOMPUTED_COLUMNS, uncomputed)


async def load_outcome_counts(
    conn: Connection, tenant: str, emission_set: int, counts: Iterable[tuple[int, str, str, int]]
) -> None:
    """Stores the outcomes of whole sets. `counts` are tuples of set, unit, outcome, entries."""
    columns = [list(column) for column in zip(*sorted(counts), strict=True)] or [[]] * 4
    await conn.execute(ADD_COUNTS, tenant, emission_set, *columns)


async def note_sums(
    conn: Connection, tenant: str, emission_set: int, sums: Sequence[tuple[int, float, int]]
) -> None:
    """Stores the sums of whole sets, for lists of uploads. They are tuples of set, kg CO2eq, and
    entries without any.

    Totals do not use them: they are summed exactly from the rows.
    """
    columns = [list(column) for column in zip(*sums, strict=True)]
    await conn.execute(NOTE_SUMS, tenant, emission_set, *columns)


async def publish_emissions(
    conn: Connection, of: EmissionSlice, emission_set: int, plan: Plan
) -> None:
    """Publishes the sets of this claim, and retires the others that the plan does not keep.

    Call it within a publication with `plan.tokens_read`.
    """
    kept = [one.entry_set for one in plan.stays]
    slice_ = (of.tenant, of.data_entry_type, of.year)
    await conn.execute(RETIRE, *slice_, kept, emission_set)
    done = await conn.execute(PUBLISH, of.tenant, emission_set)
    # Raised, because Python leaves an assert out where it is told to optimise.
    if done != f"UPDATE {len(plan.compute)}":
        raise PublicationMismatch(f"of {len(plan.compute)} sets of emissions: {done}")


async def count_outcomes(conn: Connection, of: EmissionSlice) -> dict[str, int]:
    """How many entries have which outcome, in the published sets."""
    rows = await conn.fetch(OUTCOMES, of.tenant, of.data_entry_type, of.year)
    return {row["outcome"]: row["entry_count"] for row in rows}


async def sample_uncomputed(conn: Connection, of: EmissionSlice) -> list[tuple[str, str, int]]:
    """Why entries have no emission: outcome, detail and entries, the most frequent first."""
    rows = await conn.fetch(SAMPLE, of.tenant, of.data_entry_type, of.year)
    return [(row["outcome"], row["detail"], row["entry_count"]) for row in rows]
