"""reference_ingest: places of a transport mode, replaced whole."""

import asyncio

from worker_service.carbon.parse.references import LOCATION_COLUMNS, read_locations
from worker_service.ledger.fences import close_scopes
from worker_service.ledger.frames import frame_bytes
from worker_service.ledger.locations import KIND, location_rows, replace_locations
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run
from worker_service.steps.counted import counted
from worker_service.steps.follow_ups import chain_follow_ups
from worker_service.steps.input_file import Refusal, input_file, refusals
from worker_service.steps.noted_rows import RowNotes
from worker_service.steps.publishing import publish
from worker_service.steps.stores import Stores
from worker_service.steps.table_report import TableReport


async def run_reference_ingest(stores: Stores, run: Run) -> Outcome:
    """The file's places are the mode's places from now on."""
    job = run.job
    try:
        with refusals():
            mode = _transport_mode(job)
            file = input_file(stores.blobs, job)
            await close_scopes(stores.ledger, job.tenant, job.close_through)
            run.progress(0, 0, "read")
            parsed = await asyncio.to_thread(read_locations, mode, file.open)
    except Refusal as refusal:
        return refusal.outcome()
    with RowNotes(stores.blobs, job) as notes:
        report = TableReport(parsed, notes, "place")
        await asyncio.to_thread(report.note)
        if nothing := report.nothing_good():
            return nothing
        rows = await asyncio.to_thread(frame_bytes, location_rows(job.tenant, parsed.accepted))
        await chain_follow_ups(run, stores.ledger)
        run.progress(parsed.accepted.height, parsed.accepted.height, "publish")
        gone = await publish(
            run,
            stores.ledger,
            [f"reference/{KIND}"],
            lambda conn: replace_locations(conn, job.tenant, mode, rows, job.claim_token),
        )
        said = _sentence(gone) if gone else ""
        return report.succeeded(said, {"places_gone": gone}, warnings=gone > 0)


def _sentence(gone: int) -> str:
    are = "is" if gone == 1 else "are"
    return f"{counted(gone, 'place')} of before {are} not among them and {are} gone."


def _transport_mode(job: ClaimedJob) -> str:
    if job.reference_kind != KIND:
        raise Refusal(
            "not_supported", f"Reference data of kind {job.reference_kind} is not supported."
        )
    mode = str(job.payload.get("transport_mode", ""))
    if mode not in LOCATION_COLUMNS:
        known = ", ".join(LOCATION_COLUMNS)
        raise Refusal(
            "unknown_transport_mode",
            f"payload.transport_mode must be one of {known}, not {mode!r}.",
        )
    return mode
