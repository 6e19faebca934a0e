"""upload_withdrawal: takes an upload out, so that its entries no longer count."""

from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.uploads import UploadNotFound, Withdrawal, withdraw_upload
from worker_service.mechanics.outcome import Failed, Outcome, Succeeded
from worker_service.mechanics.run import Run
from worker_service.steps.publishing import publish
from worker_service.steps.stores import Stores
from worker_service.steps.upload_sentences import named, of_whom


async def run_upload_withdrawal(stores: Stores, run: Run) -> Outcome:
    """Withdraw the upload that the payload names.

    Fails with upload_not_found, and changes nothing, if that upload does not count.
    """
    job = run.job
    assert job.module is not None, "the scheduler checks the scope"
    assert job.data_entry_type is not None
    assert job.year is not None
    of = Withdrawal(
        job.tenant,
        int(job.payload["upload_id"]),
        job.module,
        job.data_entry_type,
        job.year,
        job.pipeline_id,
        job.unit,
    )
    await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
    run.progress(0, 0, "publish")
    try:
        gone = await publish(
            run,
            stores.ledger,
            [f"entries/{of.module}/{of.year}"],
            lambda conn: withdraw_upload(conn, of, job.claim_token),
        )
    except UploadNotFound as absent:
        return Failed("upload_not_found", str(absent))
    stats = {"upload_id": gone.upload_id, "rows_withdrawn": gone.row_count}
    are = "counts" if gone.row_count == 1 else "count"
    return Succeeded(stats, f"{named(gone)} {of_whom(gone)} no longer {are}.")
