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
from carbonline.serving.logs import open_log
from carbonline.v1 import types_pb2
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_commands import TRIPS, terminal
from tests.tidy.tracked_files import REPOSITORY

__all__ = ["terminal"]  # a fixture

EXAMPLES = REPOSITORY / "examples"
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


async def test_a_worker_in_ruby_runs_jobs_and_leaves_in_order(
    ruby: str, database_url: str, tmp_path: Path
) -> None:
    address = f"unix:{tmp_path}/s"
    settings = Settings(database_url=database_url, address=address, noop=True)
    worker = EXAMPLES / "worker_in_ruby" / "worker.rb"
    async with (
        running_server(settings, open_log("critical")),
        ContractClient(address, address) as client,
    ):
        async with running([ruby, worker, DESCRIPTORS, address]):
            submitted = await client.submit("noop", types_pb2.Scope(), {"text": "one two three"})
            async with asyncio.timeout(START_SECONDS):
                events = [event async for event in client.watch(submitted.pipeline_id)]
            assert events[-1].pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS  # type: ignore[union-attr]
            [worker_seen] = (await client.list_workers()).workers
            assert (worker_seen.build_id, list(worker_seen.job_types)) == ("ruby-1", ["noop"])
        job = (await client.get_job(submitted.job_id)).job
        assert (values_of(job.stats), job.message) == ({"words": 3}, "3 words.")
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
