"""aggregation: sums the emissions of a module and year into totals per unit."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from carbonline.pluralize import pluralize
from worker_service.carbon.catalogue import module_by_id
from worker_service.carbon.totals import LeafSum, OutcomeCount, roll_up
from worker_service.ledger.changed_units import changed_units, inputs_of
from worker_service.ledger.emission_sums import SummedSet, keep_sums
from worker_service.ledger.errors import InputMoved
from worker_service.ledger.fences import Tokens, close_ledger_scopes, read_tokens
from worker_service.ledger.freshness import lacks_sums, sums_made_of
from worker_service.ledger.pool import Connection
from worker_service.ledger.totals import (
    SetToSum,
    TotalsSlice,
    UnitRow,
    Whole,
    counts_of,
    kept_sums_of,
    replace_totals,
    sets_to_sum,
    unit_row,
)
from worker_service.mechanics.outcome import Outcome, RetryLater, Succeeded, Written
from worker_service.mechanics.run import Run
from worker_service.steps.publishing import publish
from worker_service.steps.stores import Stores


@dataclass(frozen=True, slots=True)
class _Sums:
    """What to write: totals of `units`, or of all if that is None, and what they are computed from.

    `totals_token` is that of the totals that stay.
    """

    leaf_sums: Sequence[LeafSum]
    counts: Sequence[OutcomeCount]
    units: Sequence[str] | None
    inputs: Tokens
    totals_token: int


async def run_aggregation(stores: Stores, run: Run) -> Outcome:
    """Sums what the sets of the job's module and year keep into totals per unit.

    Only units are summed whose emissions have changed since the totals were computed. Sums are
    exact decimals, so the order of rows and batches does not matter. Says that nothing follows
    unless factors are made of these totals and have changed. Runs again later if another
    aggregation published in between. Raises ClaimLost when the claim may no longer write, and
    DatabaseUnavailable when nothing was committed.
    """
    job = run.job
    assert job.module is not None, "the scheduler checks the scope"
    assert job.year is not None
    types = [known.id for known in module_by_id(job.module).types]
    of = TotalsSlice(job.tenant, job.module, job.year, types)
    await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
    sums = await _sums(stores, run, of)
    totals = await asyncio.to_thread(roll_up, sums.leaf_sums, sums.counts)
    rows = [unit_row(unit) for unit in totals]
    run.progress(len(rows), len(rows), "publish")
    try:
        whole, sums_changed = await publish(
            run,
            stores.ledger,
            [of.ledger_scope],
            lambda conn: _replaced(conn, of, rows, sums, job.claim_token),
            {of.ledger_scope: sums.totals_token},
        )
    except InputMoved as moved:
        return RetryLater(str(moved))
    stats = {
        "rows": whole.entries,
        "entries": whole.entries,
        "units": whole.units,
        "total_kg": f"{whole.kg:f}",
    }
    said = f"{whole.kg:,.3f} kg CO2eq over {pluralize(whole.units, 'unit')}."
    is_followed = sums_changed or await _lacks_sums(stores, of)
    written = Written.UNKNOWN if is_followed else Written.NOTHING
    return Succeeded(stats, said, written=written)


async def _replaced(
    conn: Connection, of: TotalsSlice, rows: Sequence[UnitRow], sums: _Sums, token: int
) -> tuple[Whole, bool]:
    """What all totals come to now, and whether factors that are made of them have changed."""
    year = (of.tenant, of.module, of.year)
    before = await sums_made_of(conn, *year)
    whole = await replace_totals(conn, of, rows, sums.inputs, token, sums.units)
    return whole, bool(before) and before != await sums_made_of(conn, *year)


async def _lacks_sums(stores: Stores, of: TotalsSlice) -> bool:
    """Whether somebody has computed with the totals of before.

    Asked after the commit: whoever loads such a factor meanwhile is not seen by `_replaced`, and
    its recalculation may not have seen these totals.
    """
    async with stores.ledger.snapshot() as snapshot:
        return await lacks_sums(snapshot, of.tenant, of.module, of.year)


async def _sums(stores: Stores, run: Run, of: TotalsSlice) -> _Sums:
    run.progress(0, 0, "sum")
    while True:
        async with stores.ledger.snapshot() as snapshot:
            sets, tokens = await sets_to_sum(snapshot, of)
            unsummed = [one for one in sets if not one.is_summed]
            if not unsummed:
                return await _read_sums(snapshot, of, sets, tokens)
        await _keep_sums(stores, run, of.tenant, unsummed)


async def _read_sums(
    snapshot: Connection, of: TotalsSlice, sets: Sequence[SetToSum], tokens: Tokens
) -> _Sums:
    [totals_token] = (await read_tokens(snapshot, of.tenant, [of.ledger_scope])).values()
    units = await changed_units(snapshot, of, sets, totals_token)
    return _Sums(
        [LeafSum(*leaf) for leaf in await kept_sums_of(snapshot, of, units)],
        [OutcomeCount(*one) for one in await counts_of(snapshot, of, units)],
        units,
        inputs_of(of, sets, tokens),
        totals_token,
    )


async def _keep_sums(stores: Stores, run: Run, tenant: str, sets: Sequence[SummedSet]) -> None:
    """Sums what another release has published."""
    done, total = 0, sum(one.last_row_number for one in sets)
    for one in sets:
        run.check()
        run.progress(done, total, "sum")
        await keep_sums(stores.ledger, tenant, one)
        done += one.last_row_number
