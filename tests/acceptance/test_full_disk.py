"""The file system of the whole stack fills up and has room again: nothing is lost, all goes on."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
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
    open_run: OpenRun, small_disk: Path, *, postgres_ends: bool
) -> None:
    async with open_run(data_folder=small_disk / "stack") as run:
        pipeline = await run.submit()
        await run.until(pipeline, reading)
        async with filled(small_disk):
            began_at = time.monotonic()
            await until_no_file_fits(run)
            if postgres_ends:
                # As it does if it has no room for its log.
                run.stack.kill("postgres")
            while time.monotonic() < began_at + FULL_SECONDS:
                if not postgres_ends:
                    await run.client.list_pipelines()
                    await run.client.get_totals(2013)
                await asyncio.sleep(0.5)
        has_room_at = time.monotonic()
        await until_works_again(run, pipeline)
        assert time.monotonic() - has_room_at < BACK_SECONDS_MAX
        view = await run.ended(pipeline)
        await run.must_have_arrived(view)
        assert {job.attempts for job in view.in_order()} == {1}
