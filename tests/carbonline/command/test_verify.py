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
from tests.worker_service.ledger_api.conftest import settings_of
from worker_service.ledger_api.server import running_ledger

TOTALS_OF_NOTHING = """
INSERT INTO carbon.write_fences (tenant, scope, newest_token) VALUES ('local', 'totals/2/2024', 5);
INSERT INTO carbon.totals (
    tenant, year, module, unit, scope1_kg, scope2_kg, scope3_kg, total_kg, by_emission_type,
    by_additional_value, entry_count, outcome_counts, input_tokens, claim_token, computed_at
)
VALUES ('local', 2024, 2, '0828', 0, 0, 1, 1, '{}', '{}', 1, '{}', '{}', 5, carbon.clock())
"""
CHANGE_ON_ITS_WAY = """
INSERT INTO scheduler.type_freshness (tenant, data_entry_type, year, changed_token)
VALUES ('local', 20, 2024, 9)
"""


@pytest.fixture
async def scheduler(database_url: str, tmp_path: Path) -> AsyncIterator[RunningScheduler]:
    """A scheduler with one pipeline that waits, beside a ledger process on the same database."""
    settings = Settings(
        database_url=database_url, address=f"unix:{tmp_path}/s", noop=True, build_id="test"
    )
    ledger = settings_of(database_url, tmp_path, LEDGER_ADDRESS=f"unix:{tmp_path}/l")
    log = open_log("error")
    async with running_server(settings, log) as running, running_ledger(ledger, log):
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
        "--ledger",
        f"unix:{tmp_path}/l",
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, printed.decode()


async def test_a_finding_is_listed_and_ends_with_a_code_of_its_own(
    scheduler: RunningScheduler, tmp_path: Path
) -> None:
    code, printed = await typed(tmp_path)
    assert code == 0
    assert "Every invariant holds. 1 pipeline and 0 entries checked" in printed
    await scheduler.store.pool.execute("UPDATE scheduler.jobs SET changed_version = 7")
    code, printed = await typed(tmp_path)
    assert code == ExitCode.UNSOUND
    assert "changed in version 7 of 1" in printed
    assert "1 finding. 1 pipeline and 0 entries checked" in printed
    code, printed = await typed(tmp_path, "--json")
    assert code == ExitCode.UNSOUND
    assert json.loads(printed)["rows"][0]["invariant"] == 7


async def test_stale_totals_are_a_finding_only_if_the_scheduler_takes_them_for_fresh(
    scheduler: RunningScheduler, tmp_path: Path
) -> None:
    pool = scheduler.store.pool
    await pool.execute(TOTALS_OF_NOTHING)
    code, printed = await typed(tmp_path, "--json")
    assert code == ExitCode.UNSOUND
    assert "unit 0828 has totals, and no emissions that count" in printed
    # The emissions were written since.
    await pool.execute("INSERT INTO carbon.write_fences VALUES ('local', 'emissions/20/2024', 9)")
    code, printed = await typed(tmp_path, "--json")
    assert code == ExitCode.UNSOUND
    [row] = json.loads(printed)["rows"]
    assert (row["invariant"], row["ledger_scope"]) == (13, "totals/2/2024")
    assert row["detail"] == (
        "totals/2/2024: the sums have not been recomputed yet,"
        " and the scheduler takes them for fresh"
    )
    await pool.execute(CHANGE_ON_ITS_WAY)
    code, printed = await typed(tmp_path)
    assert code == 0, printed
    assert "Not computed again, because a change is on its way: the totals of 1 module." in printed


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
