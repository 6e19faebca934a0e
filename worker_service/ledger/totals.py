"""Totals of a module and year: exact sums of published emissions, replaced as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from worker_service.carbon.totals import UnitTotals
from worker_service.ledger.emission_sets import emissions_ledger_scope
from worker_service.ledger.emission_sums import Leaf, SummedSet
from worker_service.ledger.fences import Tokens, read_tokens
from worker_service.ledger.freshness import (
    Computable,
    ModuleState,
    computable_types,
    read_states,
)
from worker_service.ledger.limits import NO_LIMITS, Limits
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.published_state import published_state
from worker_service.ledger.unit_tree import units_below

PUBLISHED_SETS = """
SELECT emission_set, entry_set, last_row_number, is_summed, data_entry_type, factors_token
FROM carbon.emission_sets
WHERE tenant = $1 AND module = $2 AND year = $3 AND data_entry_type = ANY(CAST($4 AS smallint[]))
    AND state = 'PUBLISHED'
ORDER BY emission_set, entry_set
"""
# With a unit, of a few sets or of many, by the primary key of sums and of counts.
_SUMS = """
SELECT k.unit, k.emission_type, sum(k.kg) AS kg, sum(k.additional_value) AS additional_value
FROM carbon.emission_sets AS s
JOIN carbon.emission_sums AS k USING (tenant, emission_set, entry_set)
WHERE s.tenant = $1 AND s.module = $2 AND s.year = $3
    AND s.data_entry_type = ANY(CAST($4 AS smallint[])) AND s.state = 'PUBLISHED'{of_units}
GROUP BY k.unit, k.emission_type
"""
SUMS = _SUMS.format(of_units="")
SUMS_OF_UNITS = _SUMS.format(of_units=" AND k.unit = ANY(CAST($5 AS text[]))")
_COUNTS = """
SELECT c.unit, c.outcome, CAST(sum(c.entry_count) AS bigint) AS entry_count
FROM carbon.emission_sets AS s
JOIN carbon.outcome_counts AS c USING (tenant, emission_set, entry_set)
WHERE s.tenant = $1 AND s.module = $2 AND s.year = $3
    AND s.data_entry_type = ANY(CAST($4 AS smallint[])) AND s.state = 'PUBLISHED'{of_units}
GROUP BY c.unit, c.outcome
"""
COUNTS = _COUNTS.format(of_units="")
COUNTS_OF_UNITS = _COUNTS.format(of_units=" AND c.unit = ANY(CAST($5 AS text[]))")
COUNTS_OF_SET = """
SELECT unit, outcome, entry_count
FROM carbon.outcome_counts
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3
"""
CLEAR = "DELETE FROM carbon.totals WHERE tenant = $1 AND year = $2 AND module = $3"
CLEAR_UNITS = """
DELETE FROM carbon.totals
WHERE tenant = $1 AND year = $2 AND module = $3 AND unit = ANY(CAST($4 AS text[]))
"""
# One row is enough: the newest tells for all.
SAY_INPUTS = """
UPDATE carbon.totals SET input_tokens = $4, claim_token = $5, computed_at = carbon.clock()
WHERE tenant = $1 AND year = $2 AND module = $3 AND unit = (
    SELECT min(t.unit) FROM carbon.totals AS t
    WHERE t.tenant = $1 AND t.year = $2 AND t.module = $3
)
"""
WHOLE = """
SELECT count(*) AS units, CAST(coalesce(sum(entry_count), 0) AS bigint) AS entries,
    coalesce(sum(total_kg), 0) AS kg
FROM carbon.totals
WHERE tenant = $1 AND year = $2 AND module = $3
"""
INSERT = """
INSERT INTO carbon.totals (
    tenant, year, module, unit, scope1_kg, scope2_kg, scope3_kg, total_kg, by_emission_type,
    by_additional_value, entry_count, outcome_counts, input_tokens, claim_token, computed_at
)
SELECT $1, $2, $3, n.*, $13, $14, carbon.clock()
FROM unnest(
    CAST($4 AS text[]), CAST($5 AS numeric[]), CAST($6 AS numeric[]), CAST($7 AS numeric[]),
    CAST($8 AS numeric[]), CAST($9 AS jsonb[]), CAST($10 AS jsonb[]), CAST($11 AS bigint[]),
    CAST($12 AS jsonb[])
) AS n
"""
READ = """
SELECT t.unit, coalesce(u.name, '') AS unit_name, t.module,
    t.scope1_kg AS scope1, t.scope2_kg AS scope2, t.scope3_kg AS scope3, t.total_kg AS total,
    t.by_emission_type, t.by_additional_value, t.entry_count, t.outcome_counts, t.computed_at,
    t.claim_token
FROM carbon.totals AS t
LEFT JOIN carbon.units AS u ON u.tenant = t.tenant AND u.unit = t.unit
WHERE t.tenant = $1 AND t.year = $2
    AND (CAST($3 AS smallint[]) IS NULL OR t.module = ANY(CAST($3 AS smallint[])))
    AND (CAST($4 AS text[]) IS NULL OR t.unit = ANY(CAST($4 AS text[])))
ORDER BY t.unit, t.module
"""
# A look at an index for each year that there can be, instead of reading all totals.
YEARS = """
SELECT y.year
FROM generate_series(CAST($4 AS integer), CAST($5 AS integer)) AS y (year)
WHERE EXISTS (
    SELECT FROM carbon.totals AS t
    WHERE t.tenant = $1 AND t.year = y.year
        AND (CAST($2 AS smallint[]) IS NULL OR t.module = ANY(CAST($2 AS smallint[])))
        AND (CAST($3 AS text[]) IS NULL OR t.unit = ANY(CAST($3 AS text[])))
)
ORDER BY y.year
"""


@dataclass(frozen=True, slots=True)
class TotalsSlice:
    """The totals of one tenant, module and year. `types` are the module's data-entry types."""

    tenant: str
    module: int
    year: int
    types: Sequence[int]

    @property
    def ledger_scope(self) -> str:
        """The ledger scope whose fence guards these totals."""
        return f"totals/{self.module}/{self.year}"

    @property
    def input_ledger_scopes(self) -> list[str]:
        """The ledger scopes of the emissions that are summed."""
        return [
            emissions_ledger_scope(data_entry_type, self.year) for data_entry_type in self.types
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetToSum(SummedSet):
    """A published set of emissions, and the token of the factors that it was computed with."""

    data_entry_type: int
    factors_token: int


@dataclass(frozen=True, slots=True)
class UnitRow:
    """The totals of one unit, in kg CO2eq, exact.

    The scopes are those of the GHG Protocol. `by_emission_type` and `by_additional_value` map paths
    of the emission tree to sums, the first in kg CO2eq, the second in the type's own unit.
    """

    unit: str
    scope1: Decimal
    scope2: Decimal
    scope3: Decimal
    total: Decimal
    by_emission_type: Mapping[str, float]
    by_additional_value: Mapping[str, float]
    entry_count: int
    outcome_counts: Mapping[str, int]


def unit_row(totals: UnitTotals) -> UnitRow:
    """Totals as they are stored: what is only shown, and never summed again, as doubles."""
    return UnitRow(
        unit=totals.unit,
        scope1=totals.scope1,
        scope2=totals.scope2,
        scope3=totals.scope3,
        total=totals.total,
        by_emission_type={path: float(kg) for path, kg in totals.by_emission_type.items()},
        by_additional_value={
            path: float(value) for path, value in totals.by_additional_value.items()
        },
        entry_count=totals.entry_count,
        outcome_counts=totals.outcome_counts,
    )


@dataclass(frozen=True, slots=True)
class StoredTotals:
    """The stored totals of one unit in one module and year. Units as in UnitRow."""

    unit: str
    unit_name: str
    module: int
    scope1: Decimal
    scope2: Decimal
    scope3: Decimal
    total: Decimal
    by_emission_type: Mapping[str, float]
    by_additional_value: Mapping[str, float]
    entry_count: int
    outcome_counts: Mapping[str, int]
    computed_at: datetime
    claim_token: int


async def sets_to_sum(conn: Connection, of: TotalsSlice) -> tuple[list[SetToSum], Tokens]:
    """The published sets to sum, and the tokens of their ledger scopes.

    Call it within a snapshot.
    """
    tokens = await read_tokens(conn, of.tenant, of.input_ledger_scopes)
    rows = await conn.fetch(PUBLISHED_SETS, of.tenant, of.module, of.year, list(of.types))
    return [SetToSum(**row) for row in rows], tokens


async def kept_sums_of(
    conn: Connection, of: TotalsSlice, units: Sequence[str] | None = None
) -> list[Leaf]:
    """The sums of all published sets together, of some units or of all.

    Call it within the snapshot of `sets_to_sum`, if that says that all are summed.
    """
    slice_ = (of.tenant, of.module, of.year, list(of.types))
    if units is None:
        return [tuple(row) for row in await conn.fetch(SUMS, *slice_)]
    return [tuple(row) for row in await conn.fetch(SUMS_OF_UNITS, *slice_, list(units))]


async def counts_of(
    conn: Connection, of: TotalsSlice, units: Sequence[str] | None = None
) -> list[tuple[str, str, int]]:
    """The outcomes of all published sets together: tuples of unit, outcome, entries.

    Of some units or of all.
    """
    slice_ = (of.tenant, of.module, of.year, list(of.types))
    if units is None:
        return [tuple(row) for row in await conn.fetch(COUNTS, *slice_)]
    return [tuple(row) for row in await conn.fetch(COUNTS_OF_UNITS, *slice_, list(units))]


async def counts_of_set(
    conn: Connection, tenant: str, one: SummedSet
) -> list[tuple[str, str, int]]:
    """The outcomes of one set: tuples of unit, outcome, entries."""
    rows = await conn.fetch(COUNTS_OF_SET, tenant, one.emission_set, one.entry_set)
    return [tuple(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Whole:
    """What all totals of a module and year come to: units, entries, and kg CO2eq, exact."""

    units: int
    entries: int
    kg: Decimal


async def replace_totals(
    conn: Connection,
    of: TotalsSlice,
    rows: Sequence[UnitRow],
    inputs: Tokens,
    claim_token: int,
    units: Sequence[str] | None = None,
) -> Whole:
    """Replaces the totals of a module and year: all of them, or those of `units`.

    Call it within a publication. `inputs` are the tokens that `sets_to_sum` returned, or what
    `inputs_of` made of them.
    """
    slice_ = (of.tenant, of.year, of.module)
    if units is None:
        await conn.execute(CLEAR, *slice_)
    elif units:
        await conn.execute(CLEAR_UNITS, *slice_, list(units))
    if rows:
        await conn.execute(
            INSERT,
            *slice_,
            [row.unit for row in rows],
            [row.scope1 for row in rows],
            [row.scope2 for row in rows],
            [row.scope3 for row in rows],
            [row.total for row in rows],
            [dict(row.by_emission_type) for row in rows],
            [dict(row.by_additional_value) for row in rows],
            [row.entry_count for row in rows],
            [dict(row.outcome_counts) for row in rows],
            dict(inputs),
            claim_token,
        )
    else:
        await conn.execute(SAY_INPUTS, *slice_, dict(inputs), claim_token)
    whole = await conn.fetchrow(WHOLE, *slice_)
    assert whole is not None, "an aggregate has a row"
    return Whole(**whole)


@dataclass(frozen=True, slots=True)
class YearTotals:
    """Totals and how fresh they are, at one moment. `units` are those of the filter, None for all.

    `years` are the years that have such totals. It is filled only if this year has none. `state` is
    the `published_state` of that moment.
    """

    units: tuple[str, ...] | None
    totals: Sequence[StoredTotals]
    states: Sequence[ModuleState]
    years: Sequence[int]
    state: str


@dataclass(frozen=True, slots=True)
class TotalsFilter:
    """Which totals to read. `module` and `unit` are None for all within `limits`; the unit is
    spelled as stored. `with_below` adds all units below it that are within them.
    """

    tenant: str
    year: int
    module: int | None
    unit: str | None
    with_below: bool = False
    limits: Limits = NO_LIMITS

    @property
    def modules(self) -> tuple[int, ...] | None:
        """The modules that it chooses, None for all."""
        return self.limits.modules_of(self.module)

    def has_module(self, module: int) -> bool:
        """Whether it chooses a module."""
        return self.modules is None or module in self.modules

    def types(self) -> list[Computable]:
        """The types of its modules."""
        return [one for one in computable_types(self.module) if self.has_module(one.module)]

    async def units(self, conn: Connection) -> tuple[str, ...] | None:
        """The units that it chooses, None for all. Those below one stand where the snapshot of the
        connection shows them.
        """
        if self.unit is None or not self.with_below:
            return self.limits.units_of(self.unit)
        return self.limits.own_units(await units_below(conn, self.tenant, self.unit))


class TotalsReader:
    """Reads totals from the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def read_totals(
        self, tenant: str, year: int, modules: tuple[int, ...] | None, units: tuple[str, ...] | None
    ) -> Sequence[StoredTotals]:
        """One per unit and module, in that order. Raises DatabaseUnavailable."""
        async with self._ledger.session() as conn:
            return await stored_totals(conn, tenant, year, modules, units)

    async def read_year(self, wanted: TotalsFilter, years: tuple[int, int]) -> YearTotals:
        """Totals by unit and module, and the states of all their types.

        `years` is the first and the last year to look for totals in, if this one has none. Raises
        DatabaseUnavailable.
        """
        async with self._ledger.snapshot() as conn:
            state = await published_state(conn, wanted.tenant)
            units = await wanted.units(conn)
            of = (wanted.modules, units)
            totals = await stored_totals(conn, wanted.tenant, wanted.year, *of)
            states = await read_states(conn, wanted.tenant, wanted.year, wanted.types())
            others: list[int] = []
            if not totals:
                found = await conn.fetch(YEARS, wanted.tenant, *of, *years)
                others = [row["year"] for row in found]
        return YearTotals(units, totals, states, others, state)


async def stored_totals(
    conn: Connection,
    tenant: str,
    year: int,
    modules: Sequence[int] | None,
    units: Sequence[str] | None,
) -> list[StoredTotals]:
    """The totals of modules and units, None for all, by unit, then by module."""
    chosen = [None if some is None else list(some) for some in (modules, units)]
    rows = await conn.fetch(READ, tenant, year, *chosen)
    return [StoredTotals(**row) for row in rows]
