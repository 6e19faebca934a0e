"""The file system of the whole stack fills up and has room again: nothing is lost, all goes on."""

import asyncio
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carbonline.client.errors import ServerError
from carbonline.v1 import types_pb2
from tests.acceptance.acceptance_run import AcceptanceRun, reading
from tests.acceptance.conftest import LEASE_SECONDS, OpenRun

SIZE = "800m"
FULL_SECONDS = 2 * LEASE_SECONDS
BACK_SECONDS_MAX = LEASE_SECONDS + 5.0
PIECE = 64 << 10
READ_PAUSE_SECONDS = 0.5
# The moment of a line is taken before what it tells, and a call may have begun before it.
SLACK_SECONDS = 1.0
# What PostgreSQL writes when it ends its sessions, and when it takes new ones.
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) UTC \[\d+\] (.*)")
GOES = re.compile(r"PANIC: |LOG:  (server process .* was terminated|.*shutting down)")
COMES = "LOG:  database system is ready to accept connections"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if mounted.returncode != 0:
        pytest.skip(f"this user may mount no file system: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def postgres_log(small_disk: Path, tmp_path: Path) -> Path:
    """Where PostgreSQL of the stack logs: elsewhere, so that a full disk takes no line of it."""
    log = tmp_path / "postgres.log"
    logs = small_disk / "stack" / "logs"
    logs.mkdir(mode=0o700, parents=True)
    (logs / "postgres.log").symlink_to(log)
    return log


def outages_in(log: Path, killed_at: Sequence[float]) -> list[tuple[float, float]]:
    """From when until when PostgreSQL took no sessions, by its log; `killed_at` it could not write
    any more. The last one may not be over.
    """
    events = [(at, False) for at in killed_at]
    for line in log.read_text("utf-8", errors="replace").splitlines():
        if (found := MOMENT.match(line)) is None:
            continue
        at = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
        if GOES.match(found[2]) or found[2] == COMES:
            events.append((at, found[2] == COMES))
    outages: list[tuple[float, float]] = []
    gone_at: float | None = None
    for at, comes in sorted(events):
        if comes and gone_at is not None:
            outages.append((gone_at, at))
            gone_at = None
        elif not comes and gone_at is None:
            gone_at = at
    return outages if gone_at is None else [*outages, (gone_at, float("inf"))]


@dataclass
class Reader:
    """Reads from the scheduler and from the ledger process, again and again, whatever happens.

    `unanswered` has from when until when it waited for what it heard that there is no database.
    """

    run: AcceptanceRun
    reads: int = 0
    unanswered: list[tuple[float, float]] = field(default_factory=list)

    async def read_on(self) -> None:
        """Until it is cancelled. Raises any other error."""
        while True:
            for read in (self.run.client.list_pipelines(), self.run.client.get_totals(2013)):
                began_at = time.time()
                try:
                    await read
                except ServerError as error:
                    if error.reason != "DATABASE_UNAVAILABLE":
                        raise
                    self.unanswered.append((began_at, time.time()))
                else:
                    self.reads += 1
            await asyncio.sleep(READ_PAUSE_SECONDS)

    @asynccontextmanager
    async def reading_on(self) -> AsyncIterator[None]:
        """Reads meanwhile."""
        reading_on = asyncio.create_task(self.read_on())
        try:
            yield
        finally:
            reading_on.cancel()
            await asyncio.wait({reading_on})
        assert reading_on.cancelled(), reading_on.exception()

    def must_have_been_answered(self, outages: Sequence[tuple[float, float]]) -> None:
        """Whenever PostgreSQL was there."""
        assert self.reads
        assert [
            (began_at, ended_at)
            for began_at, ended_at in self.unanswered
            if not any(
                began_at < comes_at + SLACK_SECONDS and ended_at > gone_at - SLACK_SECONDS
                for gone_at, comes_at in outages
            )
        ] == [], outages


@asynccontextmanager
async def filled(folder: Path) -> AsyncIterator[None]:
    """No room is left, whatever others delete meanwhile; at the end there is room again."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:

        async def fill() -> None:
            while True:
                for piece in (bytes(PIECE), bytes(1024)):
                    try:
                        while file.write(piece) == len(piece):
                            pass
                    except OSError:
                        continue
                await asyncio.sleep(0.05)

        filling = asyncio.create_task(fill())
        try:
            yield
        finally:
            filling.cancel()
            await asyncio.wait({filling})
    filler.unlink()


def scope() -> types_pb2.Scope:
    return types_pb2.Scope(tenant="local")


async def until_no_file_fits(run: AcceptanceRun) -> None:
    """An upload is refused. What others delete meanwhile may make room for a few before."""

    async def new_file() -> AsyncIterator[bytes]:
        yield os.urandom(1 << 20)

    async def upload_for_ever() -> None:
        while True:
            await run.client.upload_blob(new_file(), scope())

    async with asyncio.timeout(FULL_SECONDS):
        with pytest.raises(ServerError) as refused:
            await upload_for_ever()
    assert refused.value.reason == "STORE_FULL"


async def until_works_again(run: AcceptanceRun, pipeline: int) -> None:
    """The pipeline has a running job, or has ended."""
    async with asyncio.timeout(60):
        while True:
            with suppress(ServerError):
                seen = await run.client.get_pipeline(pipeline)
                if any(job.state == types_pb2.JOB_STATE_RUNNING for job in seen.jobs):
                    return
                if seen.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS:
                    return
            await asyncio.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("postgres_ends", [False, True], ids=["postgres_lives", "postgres_ends"])
async def test_a_stack_whose_disk_was_full_goes_on_as_soon_as_there_is_room(
    open_run: OpenRun, small_disk: Path, postgres_log: Path, *, postgres_ends: bool
) -> None:
    async with open_run(data_folder=small_disk / "stack") as run:
        pipeline = await run.submit()
        await run.until(pipeline, reading)
        reader, killed_at = Reader(run), list[float]()
        async with reader.reading_on():
            async with filled(small_disk):
                began_at = time.monotonic()
                await until_no_file_fits(run)
                if postgres_ends:
                    # As it does by itself if it has no room for its log.
                    killed_at.append(time.time())
                    run.stack.kill("postgres")
                await asyncio.sleep(began_at + FULL_SECONDS - time.monotonic())
            has_room_at = time.monotonic()
            await until_works_again(run, pipeline)
            assert time.monotonic() - has_room_at < BACK_SECONDS_MAX
            view = await run.ended(pipeline)
        reader.must_have_been_answered(outages_in(postgres_log, killed_at))
        await run.must_have_arrived(view)
        spent = [(one.job_type, one.attempts, one.expiries, one.message) for one in view.in_order()]
        assert {job.attempts for job in view.in_order()} == {1}, spent
