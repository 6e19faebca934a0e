"""Invariant 13: compares stored totals with the sums of the emissions that count."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from worker_service.carbon.totals import LeafSum, OutcomeCount, roll_up
from worker_service.ledger.emission_sets import emissions_ledger_scope
from worker_service.ledger.emission_sums import SUM_ROWS, SummedSet, kept_sums, sum_set
from worker_service.ledger.freshness import Computable, ModuleState, read_states
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.totals import (
    StoredTotals,
    TotalsSlice,
    UnitRow,
    counts_of_set,
    sets_to_sum,
    stored_totals,
    unit_row,
)
from worker_service.ledger.verify.invariants import FINDINGS_MAX, TOTALS, Chosen, Finding

# By the index of totals; sets that count are few beside those that did.
_NEXT_IN = """(
    SELECT year, module FROM carbon.{table}
    WHERE tenant = $1 AND (year, module) > ($2, $3){counts}
        AND (CAST($4 AS smallint) IS NULL OR year = $4)
        AND (CAST($5 AS smallint) IS NULL OR module = $5)
    ORDER BY year, module LIMIT 1
)"""
_COUNTS = " AND state = 'PUBLISHED'"
_NEXT = """
SELECT year, module
FROM ({totals} UNION ALL {entries} UNION ALL {emissions}) AS n
ORDER BY year, module
LIMIT 1
"""
NEXT_TOTALS = _NEXT.format(
    totals=_NEXT_IN.format(table="totals", counts=""),
    entries=_NEXT_IN.format(table="entry_sets", counts=_COUNTS),
    emissions=_NEXT_IN.format(table="emission_sets", counts=_COUNTS),
)
LAST_WRITE = """
SELECT coalesce(max(newest_token), 0) FROM carbon.write_fences
WHERE tenant = $1 AND (scope = ANY(CAST($2 AS text[])) OR scope LIKE 'reference/%')
"""
# The first row of each entry with emissions: it says whether its kilograms were given.
OUTCOMES_OF_ROWS = """
SELECT unit, CASE WHEN overridden THEN 'overridden' ELSE 'computed' END AS outcome,
    count(*) AS entry_count
FROM carbon.emissions
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND row_number > $4 AND row_number <= $5
    AND part = 0
GROUP BY unit, overridden
UNION ALL
SELECT unit, outcome, count(*)
FROM carbon.uncomputed_entries
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND row_number > $4 AND row_number <= $5
GROUP BY unit, outcome
"""


@dataclass(frozen=True, slots=True)
class StaleTotals:
    """Totals that are not what a recomputation would give, because something has changed since.

    `newest_token` is that of the last claim that wrote them or what they depend on.
    """

    state: ModuleState
    year: int
    newest_token: int


@dataclass(frozen=True, slots=True)
class TotalsPage:
    """The totals of one module and year: where they are, and what was found. `compared` is true
    if they were compared with their emissions, which stale totals may be, too: they are the sums
    of these until other emissions are published. `place` is None after the last.
    """

    place: tuple[int, int] | None
    findings: Sequence[Finding] = ()
    stale: StaleTotals | None = None
    compared: bool = False


async def verify_totals(
    ledger: Ledger,
    chosen: Chosen,
    after: tuple[int, int],
    types_of: Callable[[int], Sequence[Computable]],
) -> TotalsPage:
    """The chosen totals of the first module and year behind `after`, a pair of year and module.

    `types_of` gives the types of a module. Old totals that are not chosen are only looked at for
    being stale. Raises DatabaseUnavailable.
    """
    async with ledger.snapshot() as conn:
        row = await conn.fetchrow(NEXT_TOTALS, chosen.tenant, *after, chosen.year, chosen.module)
        if row is None:
            return TotalsPage(None)
        year, module = place = row["year"], row["module"]
        types = types_of(module)
        of = TotalsSlice(chosen.tenant, module, year, [one.data_entry_type for one in types])
        states = await read_states(conn, chosen.tenant, year, types)
        state = states[0] if states else None
        stale = None if state is None else await _stale(conn, of, state)
        if state is not None and not state.summed:
            return TotalsPage(place, stale=stale)
        stored = await stored_totals(conn, chosen.tenant, year, (module,), None)
        newest = max((one.computed_at for one in stored), default=None)
        if newest and chosen.changed_since and newest < chosen.changed_since:
            return TotalsPage(place, stale=stale)
        computed, miscounted = await _summed(conn, of)
    found = [*miscounted, *_differences(of, stored, computed)]
    return TotalsPage(place, found[:FINDINGS_MAX], stale, compared=True)


async def _stale(conn: Connection, of: TotalsSlice, state: ModuleState) -> StaleTotals | None:
    # What another release computed in another way, no job has missed.
    if state.summed and not any(one.misses_a_change for one in state.types):
        return None
    scopes = [
        of.ledger_scope,
        f"entries/{of.module}/{of.year}",
        f"factors/{of.year}",
        *(emissions_ledger_scope(one, of.year) for one in of.types),
    ]
    newest = await conn.fetchval(LAST_WRITE, of.tenant, scopes)
    return StaleTotals(state, of.year, newest)


async def _summed(conn: Connection, of: TotalsSlice) -> tuple[list[UnitRow], list[Finding]]:
    """Totals from scratch, and the sets whose sums or outcomes are not those of their rows."""
    leaf_sums: list[LeafSum] = []
    outcomes: list[OutcomeCount] = []
    found: list[Finding] = []
    sets, _ = await sets_to_sum(conn, of)
    for one in sets:
        of_rows = [
            LeafSum(*leaf) async for _, sums in sum_set(conn, of.tenant, one) for leaf in sums
        ]
        leaf_sums += of_rows
        kept = [LeafSum(*leaf) for leaf in await kept_sums(conn, of.tenant, one)]
        if one.is_summed and not await asyncio.to_thread(_are_equal, kept, of_rows):
            detail = f"the sums of upload {one.entry_set} are not those of its emissions"
            found.append(Finding(TOTALS, of.ledger_scope, of.year, detail))
        counted = await _outcomes_of_rows(conn, of.tenant, one)
        outcomes += [OutcomeCount(unit, name, number) for (unit, name), number in counted.items()]
        stored = await counts_of_set(conn, of.tenant, one)
        if {(unit, name): number for unit, name, number in stored} != counted:
            detail = f"the outcomes of upload {one.entry_set} are not those of its entries"
            found.append(Finding(TOTALS, of.ledger_scope, of.year, detail))
    totals = await asyncio.to_thread(roll_up, leaf_sums, outcomes)
    return [unit_row(one) for one in totals], found


def _are_equal(some: Sequence[LeafSum], others: Sequence[LeafSum]) -> bool:
    return roll_up(some) == roll_up(others)


async def _outcomes_of_rows(
    conn: Connection, tenant: str, one: SummedSet
) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    for first in range(0, one.last_row_number, SUM_ROWS):
        last = min(first + SUM_ROWS, one.last_row_number)
        of = (tenant, one.emission_set, one.entry_set, first, last)
        for row in await conn.fetch(OUTCOMES_OF_ROWS, *of):
            counted[row["unit"], row["outcome"]] += row["entry_count"]
    return counted


def _differences(
    of: TotalsSlice, stored: Sequence[StoredTotals], computed: Sequence[UnitRow]
) -> Iterator[Finding]:
    there, wanted = {one.unit: one for one in stored}, {one.unit: one for one in computed}
    for unit in sorted(there.keys() | wanted.keys()):
        detail = _difference(there.get(unit), wanted.get(unit))
        if detail:
            yield Finding(TOTALS, of.ledger_scope, of.year, f"unit {unit} {detail}")


def _difference(stored: StoredTotals | None, wanted: UnitRow | None) -> str:
    """What is wrong with the totals of a unit; "" if they are right. Sums are exact."""
    if stored is None or wanted is None:
        return "has no totals" if stored is None else "has totals, and no emissions that count"
    if stored.total != wanted.total:
        return f"has {stored.total:f} kg, and its emissions sum to {wanted.total:f} kg"
    scopes = (stored.scope1, stored.scope2, stored.scope3)
    if scopes != (wanted.scope1, wanted.scope2, wanted.scope3):
        return "has the right sum, and wrong kilograms of a GHG scope"
    if stored.entry_count != wanted.entry_count or stored.outcome_counts != wanted.outcome_counts:
        return f"counts {dict(stored.outcome_counts)}, and has {dict(wanted.outcome_counts)}"
    if stored.by_emission_type != wanted.by_emission_type:
        return "has the right sum, and wrong kilograms of an emission type"
    if stored.by_additional_value != wanted.by_additional_value:
        return "has the right kilograms, and wrong additional values"
    return ""
