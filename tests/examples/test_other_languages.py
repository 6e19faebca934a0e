"""The examples in other languages, run where their runtime is present."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.client.json_struct import values_of
from carbonline.local.settings import StackSettings
from carbonline.local.stack import running_stack
from carbonline.v1 import types_pb2
from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_commands import TRIPS, terminal
from tests.tidy.tracked_files import REPOSITORY

__all__ = ["terminal"]  # a fixture

EXAMPLES = REPOSITORY / "examples"
WORKER = EXAMPLES / "worker_in_ruby" / "worker.rb"
DESCRIPTORS = REPOSITORY / "carbonline/v1/descriptors.binpb"
INSTALL_SECONDS, START_SECONDS = 120, 30.0


def works(*command: str) -> bool:
    """Whether a program is there and ends well."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture(scope="module")
def ruby() -> str:
    """The interpreter. Skips where it, or its package grpc, is not to be had."""
    if not works("ruby", "-e", "require 'grpc'"):
        pytest.skip("ruby with grpc is not on this machine")
    return "ruby"


@asynccontextmanager
async def running(
    command: Sequence[str | Path], **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program after its first line, until it has ended on SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={**os.environ, **variables}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(START_SECONDS):
            assert await process.wait() == 0


@pytest.fixture
async def with_its_type(tmp_path: Path) -> AsyncIterator[tuple[ContractClient, str]]:
    """A client of a scheduler that knows the job type of the example, which nobody else runs; and
    the scheduler's address.
    """
    settings = StackSettings(
        data_folder=tmp_path / "stack",
        workers=0,
        environment={"CARBONLINE_JOB_TYPES_FILE": str(WORKER.with_name("job_types.toml"))},
    )
    async with running_stack(settings) as stack:
        addresses = (stack.addresses.scheduler_address, stack.addresses.ledger_address)
        async with ContractClient(*addresses) as client:
            yield client, addresses[0]


async def test_a_worker_in_ruby_runs_a_type_of_its_own_and_leaves_in_order(
    ruby: str, with_its_type: tuple[ContractClient, str]
) -> None:
    client, address = with_its_type
    async with running([ruby, WORKER, DESCRIPTORS, address]):
        submitted = await client.submit("word_count", types_pb2.Scope(), {"text": "one two three"})
        async with asyncio.timeout(START_SECONDS):
            events = [event async for event in client.watch(submitted.pipeline_id)]
        assert events[-1].pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS  # type: ignore[union-attr]
        [worker_seen] = (await client.list_workers()).workers
        assert (worker_seen.build_id, list(worker_seen.job_types)) == ("ruby-1", ["word_count"])
    job = (await client.get_job(submitted.job_id)).job
    assert (values_of(job.stats), job.message) == ({"words": 3}, "3 words.")
    assert list((await client.list_workers()).workers) == []


async def test_a_worker_in_ruby_that_is_drained_ends(
    ruby: str, with_its_type: tuple[ContractClient, str]
) -> None:
    client, address = with_its_type
    async with running([ruby, WORKER, DESCRIPTORS, address]) as worker:
        async with asyncio.timeout(START_SECONDS):
            # It is known with its first claim, of which nobody is told.
            while not (known := (await client.list_workers()).workers):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            await client.drain_worker(known[0].worker_id, "its disk is replaced")
            assert await worker.wait() == 0
    assert list((await client.list_workers()).workers) == []


@pytest.fixture(scope="module")
def gateway_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Node example with its packages. Skips where Node or the registry is not to be had."""
    npm = shutil.which("npm")
    if npm is None or not works("node", "--version"):
        pytest.skip("node is not on this machine")
    folder = tmp_path_factory.mktemp("node") / "gateway"
    shutil.copytree(EXAMPLES / "gateway_in_node", folder)
    install = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        subprocess.run(
            install, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm cannot install the packages: {error}")
    return folder


async def test_a_gateway_in_node_takes_a_file_and_serves_totals(
    gateway_folder: Path, terminal: Terminal
) -> None:
    stack = json.loads((terminal.folder / "data" / "stack.json").read_text())
    variables = {
        "PROTOS": str(REPOSITORY / "protos"),
        "SCHEDULER": stack["scheduler_address"],
        "LEDGER": stack["ledger_address"],
        "PORT": "0",
    }
    async with running(["node", gateway_folder / "gateway.mjs"], **variables) as gateway:
        assert gateway.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            line = (await gateway.stdout.readline()).decode()
        at = f"http://127.0.0.1:{int(line.rpartition(' ')[2])}"
        sent = await asyncio.to_thread(
            fetched, f"{at}/uploads?type=plane&year=2024&name=trips.csv", TRIPS.encode()
        )
        answer = json.loads(sent)
        assert answer["disposition"] == "DISPOSITION_CREATED"
        events = await asyncio.to_thread(fetched, f"{at}/pipelines/{answer['pipeline']}/events")
        assert events.startswith("event: snapshot\n")
        assert "event: final\n" in events
        assert '"PIPELINE_STATUS_SUCCESS"' in events
        totals = json.loads(await asyncio.to_thread(fetched, f"{at}/totals?year=2024"))
        assert (float(totals["kg"]) > 0, totals["stale"]) == (True, [])
        with pytest.raises(HTTPError, match="409"):
            await asyncio.to_thread(fetched, f"{at}/uploads?type=plane&year=1999", TRIPS.encode())


def fetched(url: str, data: bytes | None = None) -> str:
    with urlopen(url, data, timeout=START_SECONDS) as answer:
        text: str = answer.read().decode()
        return text
