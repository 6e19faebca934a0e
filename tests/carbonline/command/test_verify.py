"""`carbonline verify` against a scheduler: what it says, and its exit code."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.command.exit_codes import ExitCode
from carbonline.command.verify import History
from carbonline.serving.logs import open_log
from carbonline.v1 import monitoring_pb2
from scheduler_service.server import RunningScheduler, running_server
from scheduler_service.settings import Settings


@pytest.fixture
async def scheduler(database_url: str, tmp_path: Path) -> AsyncIterator[RunningScheduler]:
    """A scheduler with one pipeline that waits."""
    settings = Settings(
        database_url=database_url, address=f"unix:{tmp_path}/s", noop=True, build_id="test"
    )
    async with running_server(settings, open_log("error")) as running:
        async with ContractClient(settings.address, settings.address) as client:
            await client.submit("noop", client.scope(), request_id=str(uuid4()))
        yield running


async def typed(tmp_path: Path, *words: str) -> tuple[int | None, str]:
    """The exit code of `carbonline verify WORDS`, and what it printed."""
    command = ("-m", "carbonline.command.main", "verify", *words)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        "--scheduler",
        f"unix:{tmp_path}/s",
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, printed.decode()


async def test_a_finding_is_listed_and_ends_with_a_code_of_its_own(
    scheduler: RunningScheduler, tmp_path: Path
) -> None:
    code, printed = await typed(tmp_path)
    assert code == 0
    assert "Every invariant holds. 1 pipeline checked" in printed
    await scheduler.store.pool.execute("UPDATE scheduler.jobs SET changed_version = 7")
    code, printed = await typed(tmp_path)
    assert code == ExitCode.UNSOUND
    assert "changed in version 7 of 1" in printed
    assert "1 finding. 1 pipeline checked" in printed
    code, printed = await typed(tmp_path, "--json")
    assert code == ExitCode.UNSOUND
    assert json.loads(printed)["rows"][0]["invariant"] == 7


def test_the_next_check_begins_before_the_first_pipeline_that_has_not_ended() -> None:
    history = History()
    pages = ((3, 3, False), (3, 4, True), (3, 9, False), (0, 0, False))
    for pipelines, ended_through, has_live in pages:
        history.add(
            monitoring_pb2.VerifyHistoryResponse(
                pipelines=pipelines,
                ended_through_pipeline_id=ended_through,
                has_live_pipelines=has_live,
            )
        )
    assert (history.pipelines, history.ended_through) == (9, 4)
