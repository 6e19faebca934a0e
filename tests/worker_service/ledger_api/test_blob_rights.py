"""Of people who sent the same bytes, each has them back, and learns nothing of the others."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from carbonline.serving.logs import _log_to
from carbonline.v1 import blobs_pb2, blobs_pb2_grpc, types_pb2
from tests.carbonline.serving.crossings import OTHER, ByName, Caller
from tests.worker_service.ledger.ledger_driver import (
    ENTRIES,
    MODULE,
    PLANE,
    TENANT,
    YEAR,
    LedgerDriver,
)
from tests.worker_service.ledger_api.conftest import refused, settings_of
from worker_service.ledger.blob_scopes import forget_scopes
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.uploads import Contents, publish_upload
from worker_service.ledger_api.server import running_ledger
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.steps.scoped_lists import lists_of, note_files

CONTENT = b"traveler_name\nAda\n"
FIRST, SECOND = (Caller("operator", TENANT, limits) for limits in ("the unit", "another unit"))


@pytest.fixture
async def blobs(driver: LedgerDriver, database_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    """A stub of a process whose callers are known by name."""
    del driver
    settings = settings_of(database_url, tmp_path)
    async with (
        running_ledger(settings, _log_to(io.StringIO(), "warning"), ByName()),
        grpc.aio.insecure_channel(settings.ledger_address) as channel,
    ):
        yield blobs_pb2_grpc.BlobServiceStub(channel)


async def sent(blobs: Any, caller: Caller, unit: str) -> str:
    scope = types_pb2.Scope(module=types_pb2.MODULE_PROFESSIONAL_TRAVEL, unit=unit)
    header = blobs_pb2.BlobHeader(scope=scope, file_name=f"{unit}.csv")
    messages = [
        blobs_pb2.UploadBlobRequest(header=header),
        blobs_pb2.UploadBlobRequest(chunk=CONTENT),
    ]
    return str((await blobs.UploadBlob(iter(messages), metadata=caller.metadata)).blob)


async def read_by(blobs: Any, caller: Caller, blob: str) -> Any:
    """What StatBlob says, if DownloadBlob gives the bytes."""
    wanted = blobs_pb2.DownloadBlobRequest(blob=blob)
    chunks = [one.chunk async for one in blobs.DownloadBlob(wanted, metadata=caller.metadata)]
    assert b"".join(chunks) == CONTENT
    return await blobs.StatBlob(blobs_pb2.StatBlobRequest(blob=blob), metadata=caller.metadata)


async def must_not_find(blobs: Any, caller: Caller, blob: str) -> None:
    stat = blobs.StatBlob(blobs_pb2.StatBlobRequest(blob=blob), metadata=caller.metadata)
    download = blobs.DownloadBlob(
        blobs_pb2.DownloadBlobRequest(blob=blob), metadata=caller.metadata
    )
    for error in (await refused(stat), await refused(anext(aiter(download)))):
        assert (error.reason, error.message) == ("BLOB_NOT_FOUND", f"there is no {blob}")


async def test_who_sent_the_same_bytes_later_has_them_back(
    driver: LedgerDriver, blobs: Any
) -> None:
    blob = await sent(blobs, FIRST, "0828")
    assert await sent(blobs, SECOND, "0900") == blob
    new = NewSet(*(TENANT, 10, MODULE, PLANE, YEAR, "0900", blob, "default"), file_name="mine.csv")
    await driver.load(new, ["0828"])
    answer = await read_by(blobs, SECOND, blob)
    assert (answer.file_name, answer.scope.unit) == ("0900.csv", "0900")
    contents = Contents(1, 1)
    await driver.publish(10, ENTRIES, lambda conn: publish_upload(conn, new, contents))
    assert (await read_by(blobs, FIRST, blob)).file_name == "0828.csv"
    answer = await read_by(blobs, SECOND, blob)
    assert (answer.file_name, answer.scope.unit, answer.scope.year) == ("mine.csv", "0900", YEAR)
    assert (answer.size_bytes, answer.scope.data_entry_type) == (len(CONTENT), PLANE)
    await must_not_find(blobs, Caller("operator", TENANT, "another module"), blob)
    # Withdrawn uploads are listed, and restored from their files.
    await driver.withdraw(20, 10)
    assert (await read_by(blobs, SECOND, blob)).file_name == "mine.csv"


async def test_a_list_that_two_jobs_made_alike_is_for_both_and_for_no_others(
    driver: LedgerDriver, blobs: Any
) -> None:
    ledger = driver.ledger
    blob = await sent(blobs, Caller("operator", TENANT, "everything"), "")
    for number, unit in enumerate(("0828", "0900", "0828")):
        job = ClaimedJob(number, 1, TENANT, "csv_ingest", 1, 45.0, module=MODULE, unit=unit)
        await note_files(ledger, job, lists_of(job, {"rejected_blob": blob, "rejected_rows": []}))
    for caller, unit in ((FIRST, "0828"), (SECOND, "0900")):
        answer = await read_by(blobs, caller, blob)
        assert answer.scope.unit == unit
        # Of a scope the first list stands there.
        assert answer.file_name == f"rejected_rows_of_job_{('0828', '0900').index(unit)}.csv"
    for other in (
        Caller("operator", TENANT, "another module"),
        Caller("operator", OTHER, "everything"),
    ):
        await must_not_find(blobs, other, blob)
    await forget_scopes(ledger, TENANT, [blob], datetime.now(UTC) - timedelta(hours=1))
    await read_by(blobs, SECOND, blob)
    await forget_scopes(ledger, TENANT, [blob], datetime.now(UTC) + timedelta(hours=1))
    await must_not_find(blobs, SECOND, blob)


async def test_an_upload_of_all_units_gives_its_file_to_none_of_them(
    driver: LedgerDriver, blobs: Any
) -> None:
    blob = await sent(blobs, FIRST, "0828")
    new = NewSet(*(TENANT, 10, MODULE, PLANE, YEAR, None, blob, "default"))
    await driver.load(new, ["0828"])
    contents = Contents(1, 1)
    await driver.publish(10, ENTRIES, lambda conn: publish_upload(conn, new, contents))
    await must_not_find(blobs, SECOND, blob)
    of_the_module = Caller("operator", TENANT, "the module")
    assert (await read_by(blobs, of_the_module, blob)).scope.unit == "0828"
