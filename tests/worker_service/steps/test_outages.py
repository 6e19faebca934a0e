"""An outage of the database fails no job, and costs none an attempt."""

import asyncio
import contextlib
import errno
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.migrations.run import migrate_all
from carbonline.v1 import types_pb2
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.worker_service.blobs.in_folder import in_folder
from tests.worker_service.steps.conftest import (
    CDG,
    LEASE_SECONDS,
    LOG,
    WorkerHarness,
    flights,
)
from worker_service.blobs.store import BlobStore
from worker_service.carbon.workbooks.room import NoRoomForText
from worker_service.ledger.canary import Canary
from worker_service.ledger.pool import open_ledger
from worker_service.ledger_and_blobs import LedgerAndBlobs
from worker_service.mechanics.readiness import NotUsable
from worker_service.steps.stores import Stores
from worker_service.worker import steps_of

UPLOADS = 8
SUCCESS = types_pb2.JOB_RESULT_SUCCESS


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[EmbeddedPostgres]:
    """The ledger's own server, which a test may stop."""
    server = await EmbeddedPostgres.open(tmp_path / "postgres")
    try:
        yield server
    finally:
        await server.close()


@pytest.fixture
async def apart(
    database_url: str, postgres: EmbeddedPostgres, tmp_path: Path
) -> AsyncIterator[WorkerHarness]:
    """Everything but a worker; the ledger has a server of its own, the scheduler another."""
    ledger_url = await postgres.create_database("ledger")
    await migrate_all(ledger_url)
    address = f"unix:{tmp_path}/s"
    settings = Settings(
        database_url=database_url,
        address=address,
        lease_seconds=LEASE_SECONDS,
        beat_seconds=1.0,
        sweep_seconds=0.5,
        drain_grace_seconds=0.5,
    )
    async with contextlib.AsyncExitStack() as opened:
        await opened.enter_async_context(running_server(settings, LOG))
        ledger = await open_ledger(
            ledger_url, application_name="test", lease_seconds=LEASE_SECONDS, jobs_max=4
        )
        opened.push_async_callback(ledger.close)
        stores = Stores(ledger, BlobStore(tmp_path / "blobs"))
        canary = Canary(ledger_url, "test")
        opened.callback(canary.close)
        client = await opened.enter_async_context(ContractClient(address, address, tenant="local"))
        needs = LedgerAndBlobs(canary, stores.blobs)
        steps = dict(steps_of(stores))
        yield WorkerHarness(client, stores, ledger, tmp_path, steps, needs)


async def test_a_full_disk_of_temporary_files_is_the_worker_s_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = LedgerAndBlobs(Canary("postgresql://127.0.0.1:9/x", "test"), BlobStore(tmp_path))
    no_room = NoRoomForText(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert needs.blamed(no_room) == "temporary files: No space left on device"
    # It has no room for anybody.
    monkeypatch.setattr(tempfile, "tempdir", "/proc")
    with pytest.raises(NotUsable, match="temporary files: the disk is full"):
        await needs.look()


async def worker_says(client: ContractClient, wanted: Callable[[types_pb2.Worker], bool]) -> None:
    """Until the only worker is as wanted."""
    async with asyncio.timeout(30):
        while True:
            (worker,) = (await client.list_workers()).workers
            if wanted(worker):
                return
            await asyncio.sleep(0.1)


async def test_no_upload_fails_while_the_ledger_is_unavailable(
    apart: WorkerHarness, postgres: EmbeddedPostgres
) -> None:
    async with apart.working():
        await apart.load_units()
        await apart.load_places()
        await apart.load_factors()
        pipelines = [
            await apart.submit_flights(flights(CDG), source=f"agency-{number}")
            for number in range(UPLOADS)
        ]
        postgres.child.kill()
        await worker_says(
            apart.client,
            lambda one: (
                one.state == types_pb2.WORKER_STATE_NOT_READY
                and one.not_ready.startswith("ledger: ")
                and not one.held
            ),
        )
        await postgres.start()
        await worker_says(apart.client, lambda one: one.state == types_pb2.WORKER_STATE_LIVE)
        for pipeline in pipelines:
            view = await apart.ended(pipeline)
            ends = [(job.job_type, job.attempts, job.message) for job in view.in_order()]
            assert view.pipeline is not None
            assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, ends
            assert {attempts for _, attempts, _ in ends} == {1}, ends
    kg = await apart.kg()
    assert kg["0828"] > 0


@pytest.mark.parametrize("in_its_place", ["nothing", "an empty folder"])
async def test_a_folder_of_blobs_that_goes_away_is_not_a_fault_of_a_job(
    apart: WorkerHarness, in_its_place: str
) -> None:
    """As a share that is not mounted leaves it."""
    folder = in_folder(apart.stores.blobs).folder
    async with apart.working():
        await apart.load_units()
        await apart.load_places()
        await apart.load_factors()
        await apart.client.pause_job_type("csv_ingest")
        pipeline = await apart.submit_flights(flights(CDG))
        away = folder.rename(folder.with_name("away"))
        if in_its_place == "an empty folder":
            folder.mkdir()
        await apart.client.resume_job_type("csv_ingest")
        await worker_says(
            apart.client, lambda one: one.not_ready.startswith("blobs: ") and not one.held
        )
        if folder.exists():
            assert list(folder.iterdir()) == []
            folder.rmdir()
        away.rename(folder)
        view = await apart.ended(pipeline)
        ends = [(job.job_type, job.attempts, job.message) for job in view.in_order()]
        assert view.pipeline is not None
        assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, ends
        assert {attempts for _, attempts, _ in ends} == {1}, ends


async def test_a_demoted_ledger_is_not_a_fault_of_a_job(
    apart: WorkerHarness, postgres: EmbeddedPostgres
) -> None:
    async with apart.working():
        await apart.load_units()
        await apart.load_places()
        await apart.load_factors()
        await read_only(apart, "on")
        pipeline = await apart.submit_flights(flights(CDG))
        await worker_says(
            apart.client, lambda one: one.not_ready == "ledger: the database is read-only"
        )
        await read_only(apart, "off")
        view = await apart.ended(pipeline)
        assert view.pipeline is not None
        assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
        assert {job.attempts for job in view.in_order()} == {1}


async def read_only(apart: WorkerHarness, switch: str) -> None:
    """As after a failover: every new session only reads, or may write again."""
    async with apart.ledger.session() as conn:
        await conn.execute("SET default_transaction_read_only = off")
        await conn.execute(f"ALTER SYSTEM SET default_transaction_read_only = {switch}")
        await conn.execute("SELECT pg_reload_conf()")
        await conn.execute("RESET default_transaction_read_only")


# As a full disk answers: what is to be stored finds no room, and what is stored can be read.
FULL = """
CREATE SEQUENCE public.refusals;
CREATE FUNCTION public.no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file "base/5/1": No space left on device'
        USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER no_room BEFORE INSERT ON carbon.entry_sets EXECUTE FUNCTION public.no_room();
CREATE FUNCTION public.no_table() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('public.refusals');
    RAISE EXCEPTION 'could not extend file "base/5/2": No space left on device'
        USING ERRCODE = 'disk_full';
END $$;
CREATE EVENT TRIGGER no_table ON ddl_command_start WHEN TAG IN ('CREATE TABLE')
    EXECUTE FUNCTION public.no_table();
"""
ROOM = "DROP EVENT TRIGGER no_table; DROP TRIGGER no_room ON carbon.entry_sets;"


async def refusals(apart: WorkerHarness) -> int:
    """How often a look found no room. A sequence is not rolled back."""
    [row] = await apart.rows("SELECT last_value FROM public.refusals")
    number: int = row["last_value"]
    return number


async def test_a_full_ledger_costs_no_attempt_and_nobody_works_until_there_is_room(
    apart: WorkerHarness,
) -> None:
    async with apart.working():
        await apart.load_units()
        await apart.load_places()
        await apart.load_factors()
        async with apart.ledger.session() as conn:
            await conn.execute(FULL)
        pipeline = await apart.submit_flights(flights(CDG))
        full = "ledger: the disk of the database is full"
        await worker_says(apart.client, lambda one: one.not_ready == full and not one.held)
        # The worker looks again and again, and claims nothing.
        [first] = (await apart.client.get_pipeline(pipeline)).jobs
        async with asyncio.timeout(30):
            while (await refusals(apart)) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        [waiting] = (await apart.client.get_pipeline(pipeline)).jobs
        async with apart.ledger.session() as conn:
            await conn.execute(ROOM)
        view = await apart.ended(pipeline)
        assert view.pipeline is not None
        assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
        assert {job.attempts for job in view.in_order()} == {1}
        assert waiting.claim_token == first.claim_token
