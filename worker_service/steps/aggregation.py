"""aggregation: sums the emissions of a module and year into totals per unit."""

import asyncio
from collections.abc import Sequence

from carbonline.pluralize import pluralize
from worker_service.carbon.catalogue import module_by_id
from worker_service.carbon.totals import LeafSum, OutcomeCount, roll_up
from worker_service.ledger.emission_sums import SummedSet, keep_sums
from worker_service.ledger.fences import Tokens, close_ledger_scopes
from worker_service.ledger.totals import (
    TotalsSlice,
    counts_of,
    kept_sums_of,
    replace_totals,
    sets_to_sum,
    unit_row,
)
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run
from worker_service.steps.publishing import publish
from worker_service.steps.stores import Stores


async def run_aggregation(stores: Stores, run: Run) -> Outcome:
    """Replaces all totals of the job's module and year by the sums that its sets keep.

    Sums are exact decimals, so the order of rows and batches does not matter. Raises ClaimLost
    when the claim may no longer write, and DatabaseUnavailable when nothing was committed.
    """
    job = run.job
    assert job.module is not None, "the scheduler checks the scope"
    assert job.year is not None
    types = [known.id for known in module_by_id(job.module).types]
    of = TotalsSlice(job.tenant, job.module, job.year, types)
    await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
    leaf_sums, counts, tokens = await _sums(stores, run, of)
    totals = await asyncio.to_thread(roll_up, leaf_sums, counts)
    rows = [unit_row(unit) for unit in totals]
    run.progress(len(rows), len(rows), "publish")
    await publish(
        run,
        stores.ledger,
        [of.ledger_scope],
        lambda conn: replace_totals(conn, of, rows, tokens, job.claim_token),
    )
    entries = sum(row.entry_count for row in rows)
    kg = sum(row.total for row in rows)
    stats = {"rows": entries, "entries": entries, "units": len(rows), "total_kg": f"{kg:f}"}
    return Succeeded(stats, f"{kg:,.3f} kg CO2eq over {pluralize(len(rows), 'unit')}.")


async def _sums(
    stores: Stores, run: Run, of: TotalsSlice
) -> tuple[list[LeafSum], list[OutcomeCount], Tokens]:
    run.progress(0, 0, "sum")
    while True:
        async with stores.ledger.snapshot() as snapshot:
            sets, tokens = await sets_to_sum(snapshot, of)
            unsummed = [one for one in sets if not one.is_summed]
            if not unsummed:
                leaf_sums = [LeafSum(*leaf) for leaf in await kept_sums_of(snapshot, of)]
                return (
                    leaf_sums,
                    [OutcomeCount(*one) for one in await counts_of(snapshot, of)],
                    tokens,
                )
        await _keep_sums(stores, run, of.tenant, unsummed)


async def _keep_sums(stores: Stores, run: Run, tenant: str, sets: Sequence[SummedSet]) -> None:
    """Sums what another release has published."""
    done, total = 0, sum(one.last_row_number for one in sets)
    for one in sets:
        run.check()
        run.progress(done, total, "sum")
        await keep_sums(stores.ledger, tenant, one)
        done += one.last_row_number
