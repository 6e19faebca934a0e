"""factor_ingest: a file of emission factors of one type and year, changed in place."""

import asyncio

from worker_service.carbon.catalogue import declaration
from worker_service.carbon.parse.factors import read_factors
from worker_service.ledger.factors import FactorChanges, FactorSlice, save_factors
from worker_service.ledger.fences import close_scopes
from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run
from worker_service.steps.counted import counted
from worker_service.steps.follow_ups import chain_follow_ups
from worker_service.steps.input_file import Refusal, input_file, refusals
from worker_service.steps.noted_rows import RowNotes
from worker_service.steps.publishing import publish
from worker_service.steps.stores import Stores
from worker_service.steps.table_report import TableReport


async def run_factor_ingest(stores: Stores, run: Run) -> Outcome:
    """Adds and changes the file's factors; those that it lacks are flagged stale and stay."""
    job = run.job
    assert job.data_entry_type is not None, "the scheduler checks the scope"
    assert job.year is not None
    try:
        with refusals():
            declared = declaration(job.data_entry_type)
            file = input_file(stores.blobs, job)
            await close_scopes(stores.ledger, job.tenant, job.close_through)
            run.progress(0, 0, "read")
            parsed = await asyncio.to_thread(read_factors, declared, file.open)
    except Refusal as refusal:
        return refusal.outcome()
    with RowNotes(stores.blobs, job) as notes:
        report = TableReport(parsed, notes, "factor")
        await asyncio.to_thread(report.note)
        if nothing := report.nothing_good():
            return nothing
        await chain_follow_ups(run, stores.ledger)
        run.progress(parsed.accepted.height, parsed.accepted.height, "publish")
        of = FactorSlice(job.tenant, job.data_entry_type, job.year)
        changes = await publish(
            run,
            stores.ledger,
            [f"factors/{job.year}"],
            lambda conn: save_factors(
                conn, of, parsed.accepted, str(file.reference), job.claim_token
            ),
        )
        stats = {"factors_changed": changes.changed, "factors_stale": changes.stale}
        return report.succeeded(_sentence(changes), stats)


def _sentence(changes: FactorChanges) -> str:
    said = f"{changes.changed:,} {'is' if changes.changed == 1 else 'are'} new or changed."
    if changes.stale:
        said += f" {counted(changes.stale, 'older one')} not in this file: still used."
    return said
