"""`carbonline doctor` beside services that work, that lack a worker, and that do not answer."""

import asyncio
import datetime as dt
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.command import doctor_checks
from carbonline.command.doctor_checks import State
from carbonline.command.exit_codes import ExitCode
from carbonline.serving.logs import open_log
from carbonline.v1 import operations_pb2, scheduler_pb2, scheduler_pb2_grpc
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.serving.token_issuer import TokenIssuer
from tests.worker_service.ledger_api.conftest import settings_of
from worker_service.ledger_api.server import running_ledger

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Services:
    """A scheduler and a ledger process that a test may stop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scheduler_address, self.ledger_address = f"unix:{folder}/s", f"unix:{folder}/l"
        self.scheduler, self.ledger = AsyncExitStack(), AsyncExitStack()

    def client(self) -> ContractClient:
        return ContractClient(self.scheduler_address, self.ledger_address, tenant="local")

    async def work(self, job_type: str = "noop") -> None:
        """A worker looks for jobs, and so is live."""
        async with grpc.aio.insecure_channel(self.scheduler_address) as channel:
            await scheduler_pb2_grpc.SchedulerServiceStub(channel).Claim(
                scheduler_pb2.ClaimRequest(
                    worker_id=str(uuid4()),
                    request_id=str(uuid4()),
                    job_types=[job_type],
                    max_jobs=1,
                    build_id="test",
                )
            )


@pytest.fixture
async def services(database_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    found, log = Services(tmp_path), open_log("critical")
    settings = Settings(database_url, found.scheduler_address, noop=True, build_id="test")
    ledger = settings_of(database_url, tmp_path, LEDGER_ADDRESS=found.ledger_address)
    await found.scheduler.enter_async_context(running_server(settings, log))
    await found.ledger.enter_async_context(running_ledger(ledger, log))
    try:
        yield found
    finally:
        await found.ledger.aclose()
        await found.scheduler.aclose()


async def typed(services: Services, *words: str) -> tuple[int | None, str]:
    """The exit code of `carbonline doctor WORDS`, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "carbonline.command.main", "doctor", *words),
        *("--scheduler", services.scheduler_address, "--ledger", services.ledger_address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, printed.decode()


async def found(services: Services) -> tuple[int | None, dict[str, dict[str, Any]]]:
    """The exit code, and the rows by their check."""
    code, printed = await typed(services, "--json")
    return code, {row["check"]: row for row in json.loads(printed)["rows"]}


async def test_everything_works(services: Services) -> None:
    await services.work()
    code, printed = await typed(services)
    assert code == ExitCode.SUCCESS, printed
    assert "Everything works." in printed
    code, rows = await found(services)
    assert {row["state"] for row in rows.values()} == {"ok"}, rows
    assert list(rows) == [
        *("scheduler", "token", "clock", "builds", "scheduler schema", "workers", "queue"),
        *("paused types", "schedules", "totals", "ledger", "ledger schema", "files"),
        "secret files",
    ]


async def test_without_a_worker_it_says_how_to_start_one(services: Services) -> None:
    async with services.client() as client:
        await client.submit("noop", client.scope())
    code, rows = await found(services)
    assert code == ExitCode.UNSOUND
    assert (rows["workers"]["state"], rows["queue"]["state"]) == ("wrong", "wrong")
    assert "python -m worker_service" in rows["workers"]["to_do"]
    assert "no live worker runs noop" in rows["queue"]["finding"]


async def test_a_paused_type_is_to_be_looked_at(services: Services) -> None:
    await services.work()
    async with services.client() as client:
        await client.pause_job_type("noop", "for a while")
    code, rows = await found(services)
    assert (code, rows["paused types"]["state"]) == (ExitCode.SUCCESS, "look")
    assert "noop" in rows["paused types"]["finding"]
    _, printed = await typed(services)
    assert "Nothing is wrong; 1 line to look at." in printed


async def test_a_ledger_that_does_not_answer_hides_nothing_of_the_scheduler(
    services: Services,
) -> None:
    await services.work()
    await services.ledger.aclose()
    code, rows = await found(services)
    assert code == ExitCode.UNREACHABLE
    assert (rows["ledger"]["state"], rows["files"]["state"]) == ("wrong", "skipped")
    assert rows["workers"]["state"] == "ok"


async def test_files_that_cannot_be_kept_are_wrong(services: Services) -> None:
    await services.work()
    blobs = services.folder / "blobs"
    shutil.rmtree(blobs)
    blobs.write_text("not a folder")
    code, rows = await found(services)
    assert (code, rows["files"]["state"]) == (ExitCode.UNSOUND, "wrong")


async def test_a_schema_of_another_release_says_which_side_to_update(
    services: Services, database_url: str
) -> None:
    conn = await asyncpg.connect(database_url)
    states = {}
    for revision in ("0001", "9999"):
        for schema in ("scheduler", "carbon"):
            await conn.execute(f"UPDATE {schema}.alembic_version SET version_num = '{revision}'")
        async with services.client() as client:
            both = await doctor_checks._workers(client) + await doctor_checks._ledger(client)
        for one in both:
            if one.check.endswith("schema"):
                assert f"the database has revision {revision}" in one.words
                states[one.check, revision] = one.state, one.to_do
    await conn.close()
    for service in ("scheduler", "ledger"):
        check = f"{service} schema"
        assert states[check, "0001"] == (State.WRONG, "Run `carbonline migrate`.")
        state, to_do = states[check, "9999"]
        assert (state, f"start its {service}, too" in to_do) == (State.LOOK, True)
        older = doctor_checks.schema_finding(service, None)
        assert (older.check, older.state) == (check, State.SKIPPED)


async def test_a_caller_who_may_not_see_a_part_is_not_told_that_it_is_wrong(
    database_url: str, tmp_path: Path
) -> None:
    found_of, log, issuer = Services(tmp_path), open_log("critical"), TokenIssuer(tmp_path)
    (tmp_path / "token").write_text(issuer.token(tenants=["local"], role=["auditor"]))
    settings = Settings(
        database_url, found_of.scheduler_address, build_id="test", tokens=issuer.settings
    )
    ledger = replace(
        settings_of(database_url, tmp_path, LEDGER_ADDRESS=found_of.ledger_address),
        tokens=issuer.settings,
    )
    async with running_server(settings, log), running_ledger(ledger, log):
        _, printed = await typed(found_of, "--json", "--token-file", str(tmp_path / "token"))
    rows = {row["check"]: row for row in json.loads(printed)["rows"]}
    assert (rows["scheduler"]["state"], rows["ledger"]["state"]) == ("ok", "skipped"), rows
    assert "this caller may not see it" in rows["ledger"]["finding"]


async def test_a_service_that_ends_meanwhile_has_not_answered(services: Services) -> None:
    async def ends_it(_: ContractClient) -> list[doctor_checks.Finding]:
        await services.ledger.aclose()
        return []

    checks = {"ledger": ends_it, "files": doctor_checks._files}
    async with services.client() as client:
        [files] = await doctor_checks._examined(client, "ledger", checks)
    assert (files.state, files.unanswered) == (State.WRONG, True)


@pytest.mark.parametrize(
    ("seconds", "state"), [(0, State.OK), (4, State.OK), (9, State.WRONG), (-9, State.WRONG)]
)
def test_clocks_may_differ_by_seconds(seconds: int, state: State) -> None:
    caller = operations_pb2.GetCallerResponse()
    caller.answered_at.FromDatetime(NOW + dt.timedelta(seconds=seconds))
    finding = doctor_checks._clock(caller, NOW, uncertain=0.0)
    assert finding.state is state
    if state is State.WRONG:
        assert ("behind" if seconds > 0 else "ahead of") in finding.words


@pytest.mark.parametrize(("hours", "state"), [(30, State.OK), (3, State.LOOK)])
def test_a_token_that_ends_soon_is_to_be_looked_at(hours: int, state: State) -> None:
    caller = operations_pb2.GetCallerResponse()
    assert doctor_checks._token(caller, NOW).state is State.OK
    caller.expires_at.FromDatetime(NOW + dt.timedelta(hours=hours))
    assert doctor_checks._token(caller, NOW).state is state
