"""The process itself: its settings, its first line, and how it ends."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from carbonline.serving.settings import SettingsWrong
from carbonline.v1 import scheduler_pb2
from tests.worker_service.mechanics.scripted_scheduler import ScriptedScheduler
from worker_service.settings import read_settings


@asynccontextmanager
async def worker(folder: Path, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **{name: value for name, value in os.environ.items() if "CARBONLINE" not in name},
        "CARBONLINE_SCHEDULER_ADDRESS": f"unix:{folder}/s",
        "CARBONLINE_JOB_TYPES": "noop",
        **{f"CARBONLINE_{name}": value for name, value in settings.items()},
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "worker_service",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_of(process: asyncio.subprocess.Process, event: str) -> Mapping[str, object]:
    assert process.stderr is not None
    async with asyncio.timeout(20):
        while raw := await process.stderr.readline():
            line: Mapping[str, object] = json.loads(raw)
            if line["event"] == event:
                return line
    raise AssertionError(f"the process ended without {event}")


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(20):
        return await process.wait()


async def test_a_worker_process_runs_jobs_and_drains_on_sigterm(
    scheduler: ScriptedScheduler, tmp_path: Path
) -> None:
    async with worker(tmp_path, CONCURRENCY="100") as process:
        started = await line_of(process, "worker_started")
        assert started["job_types"] == ["noop"]
        for _ in range(300):
            await scheduler.give("noop")
        await scheduler.until(lambda: len(scheduler.finishes) == 300, seconds=20)
        assert len(scheduler.finish_batches) < 100
        process.send_signal(signal.SIGTERM)
        await line_of(process, "worker_stopped")
        assert await ended(process) == 0
        assert process.stdout is not None
        assert await process.stdout.read() == b""
    assert scheduler.claims[0].job_types == ["noop"]
    assert len({claim.worker_id for claim in scheduler.claims}) == 1


async def test_an_idle_worker_that_is_drains_ends_in_order(
    scheduler: ScriptedScheduler, tmp_path: Path
) -> None:
    scheduler.claim_directive = scheduler_pb2.WORKER_DIRECTIVE_DRAIN
    async with worker(tmp_path) as process:
        await line_of(process, "drain_requested_by_scheduler")
        await line_of(process, "worker_stopped")
        assert await ended(process) == 0
    assert [beat.draining for beat in scheduler.last_beats] == [True]


async def test_a_worker_that_may_not_claim_says_so_and_fails(
    scheduler: ScriptedScheduler, tmp_path: Path
) -> None:
    scheduler.claims_refused = True
    async with worker(tmp_path) as process:
        line = await line_of(process, "worker_failed")
        assert "no worker of ours" in json.dumps(line)
        assert await ended(process) == 1


async def test_wrong_settings_are_one_line_and_exit_2(tmp_path: Path) -> None:
    async with worker(tmp_path, LEASE_SECONDS="10", BEAT_SECONDS="5") as process:
        _, said = await process.communicate()
        assert process.returncode == 2
        assert said.decode().count("\n") == 1
        assert "a quarter of CARBONLINE_LEASE_SECONDS" in said.decode()


async def test_a_job_type_that_no_worker_runs_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    # The database of the URL does not exist, and is not asked.
    settings = {"JOB_TYPES": "csv_ingest,csv_ingst", "DATABASE_URL": "postgresql://nobody@/none"}
    async with worker(tmp_path, **settings) as process:
        _, printed = await process.communicate()
        assert process.returncode == 2
        assert printed.decode().count("\n") == 1
        assert "CARBONLINE_JOB_TYPES must name some of csv_ingest" in printed.decode()
        assert "not csv_ingst" in printed.decode()


async def test_a_worker_waits_for_a_scheduler_that_comes_later(tmp_path: Path) -> None:
    async with worker(tmp_path) as process:
        line = await line_of(process, "claim_unanswered")
        assert line["tries"] == 1
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == 0


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("LEASE_SECONDS", "soon", "must be a number"),
        ("BEAT_SECONDS", "0", "must be a number greater than 0"),
        ("CONCURRENCY", "0", "must be a whole number from 1"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be"),
    ],
)
def test_each_wrong_setting_is_named(name: str, value: str, fault: str) -> None:
    with pytest.raises(SettingsWrong, match=fault):
        read_settings({f"CARBONLINE_{name}": value})


def test_the_ledger_has_the_same_database_unless_it_is_said() -> None:
    one = {
        "CARBONLINE_DATABASE_URL": "postgresql://a/one",
        "CARBONLINE_SCHEDULER_ADDRESS": "unix:s",
    }
    both = {**one, "CARBONLINE_LEDGER_DATABASE_URL": "postgresql://b/two"}
    assert read_settings(both).database_url == "postgresql://b/two"
    assert read_settings(one).database_url == "postgresql://a/one"
