"""Reads at one moment what a report of a year is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from worker_service.carbon.unit_tree import PlacedUnit, placed_within
from worker_service.ledger.freshness import ModuleState, read_states
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.totals import StoredTotals, TotalsFilter, stored_totals
from worker_service.ledger.unit_tree import placed_units, units_below

# The totals themselves are small: a row for each unit and module. Outcomes that have kilograms are
# given, so that this and every other count agree on what has none.
YEARS = """
SELECT t.year, sum(t.scope1_kg) AS scope1, sum(t.scope2_kg) AS scope2, sum(t.scope3_kg) AS scope3,
    sum(t.total_kg) AS total, CAST(sum(t.entry_count) AS bigint) AS entry_count,
    CAST(coalesce(sum(o.without_kg), 0) AS bigint) AS entries_without_kg
FROM carbon.totals AS t
CROSS JOIN LATERAL (
    SELECT sum(CAST(value AS bigint)) AS without_kg
    FROM jsonb_each_text(t.outcome_counts)
    WHERE key <> ALL (CAST($4 AS text[]))
) AS o
WHERE t.tenant = $1
    AND (CAST($2 AS smallint[]) IS NULL OR t.module = ANY(CAST($2 AS smallint[])))
    AND (CAST($3 AS text[]) IS NULL OR t.unit = ANY(CAST($3 AS text[])))
GROUP BY t.year
ORDER BY t.year
"""
# People count whether their entry has kilograms or not.
FTE = """
SELECT p.year, p.unit, sum(CAST(p.fte AS numeric)) AS fte
FROM (
    SELECT s.year, e.unit,
        carbon.entry_value(e, s.text_keys, s.number_keys, CAST($3 AS text)) AS fte
    FROM carbon.entry_sets AS s
    JOIN carbon.entries AS e ON e.tenant = s.tenant AND e.entry_set = s.entry_set
    WHERE s.tenant = $1 AND s.data_entry_type = $2 AND s.state = 'PUBLISHED'
        AND (CAST($4 AS text[]) IS NULL OR e.unit = ANY(CAST($4 AS text[])))
) AS p
WHERE p.fte IS NOT NULL
GROUP BY p.year, p.unit
"""
UNITS_WITHOUT_TOTALS = """
SELECT u.unit, count(*) OVER () AS all_of_them
FROM carbon.units AS u
WHERE u.tenant = $1
    AND (CAST($5 AS text[]) IS NULL OR u.unit = ANY(CAST($5 AS text[])))
    AND NOT EXISTS (
        SELECT FROM carbon.totals AS t
        WHERE t.tenant = u.tenant AND t.year = $2 AND t.unit = u.unit
            AND (CAST($3 AS smallint[]) IS NULL OR t.module = ANY(CAST($3 AS smallint[])))
    )
ORDER BY u.unit
LIMIT $4
"""
UNITS_WITHOUT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class People:
    """Which entries are people: those of a type, with full-time equivalents in a column."""

    data_entry_type: int
    fte_column: str


@dataclass(frozen=True, slots=True)
class YearSums:
    """The sums of one year, exact, in kg CO2eq. `fte` is None without members."""

    year: int
    scope1: Decimal
    scope2: Decimal
    scope3: Decimal
    total: Decimal
    entry_count: int
    entries_without_kg: int
    fte: Decimal | None


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """Module totals of a year and of the year before, with what is beside them, at one moment.

    `units` are those of the filter, None for all. `fte` has full-time equivalents by unit.
    `units_without` are the first ids of units without totals in the year, and `units_without_count`
    is the number of all. `placed` are the units in their tree; none if there is no tree.
    `units_of_others` is how many the limits of the filter leave out.
    """

    units: tuple[str, ...] | None
    totals: Sequence[StoredTotals]
    before: Sequence[StoredTotals]
    fte: Mapping[str, Decimal]
    years: Sequence[YearSums]
    states: Sequence[ModuleState]
    units_without: Sequence[str]
    units_without_count: int
    placed: Sequence[PlacedUnit] = ()
    units_of_others: int = 0


async def read_report(
    ledger: Ledger,
    of: TotalsFilter,
    people: People | None,
    booked: Sequence[str],
) -> ReportInputs:
    """Reads it in one snapshot, in which the units below one are found, too. `people` is None if
    they are left out. `booked` are the outcomes that have kilograms. Raises DatabaseUnavailable.
    """
    async with ledger.snapshot() as conn:
        units = await of.units(conn)
        totals = await stored_totals(conn, of.tenant, of.year, of.modules, units)
        before = await stored_totals(conn, of.tenant, of.year - 1, of.modules, units)
        states = await read_states(conn, of.tenant, of.year, of.types())
        fte = await _fte(conn, of.tenant, units, people)
        years = await conn.fetch(YEARS, of.tenant, of.modules, units, list(booked))
        without = []
        placed, of_others = await _placed(conn, of, units)
        if of.unit is None:
            without = await conn.fetch(
                UNITS_WITHOUT_TOTALS, of.tenant, of.year, of.modules, UNITS_WITHOUT_MAX, units
            )
    return ReportInputs(
        units,
        totals,
        before,
        fte.get(of.year, {}),
        [YearSums(**row, fte=_whole(fte.get(row["year"], {}))) for row in years],
        states,
        [row["unit"] for row in without],
        without[0]["all_of_them"] if without else 0,
        placed if any(one.parent for one in placed) else (),
        of_others,
    )


async def _placed(
    conn: Connection, of: TotalsFilter, units: Sequence[str] | None
) -> tuple[Sequence[PlacedUnit], int]:
    """The units of a filter in their tree, and how many its limits leave out."""
    if of.limits.units is None:
        return await placed_units(conn, of.tenant, units), 0
    every = await placed_units(conn, of.tenant)
    asked = {one.unit for one in every}
    if of.unit is not None:
        asked = set(await units_below(conn, of.tenant, of.unit)) if of.with_below else {of.unit}
    own = frozenset(units or ())
    return placed_within(every, own), len(asked - own)


async def _fte(
    conn: Connection, tenant: str, units: Sequence[str] | None, people: People | None
) -> Mapping[int, Mapping[str, Decimal]]:
    if people is None:
        return {}
    rows = await conn.fetch(FTE, tenant, people.data_entry_type, people.fte_column, units)
    found: dict[int, dict[str, Decimal]] = {}
    for row in rows:
        found.setdefault(row["year"], {})[row["unit"]] = row["fte"]
    return found


def _whole(of_units: Mapping[str, Decimal]) -> Decimal | None:
    return sum(of_units.values(), Decimal(0)) if of_units else None
