"""Random faults under random use: nothing lost, nothing twice, no stale total in the end."""

import asyncio
import gzip
import hashlib
import os
import random
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from carbonline.command.demo import YEAR, find_files
from carbonline.v1 import types_pb2
from tests.acceptance.acceptance_run import FLIGHTS, AcceptanceRun, recomputed
from tests.acceptance.conftest import OpenRun
from tests.chaos.faults import Faults
from tests.chaos.users import Users
from tests.scheduler_service.store.invariants import broken_invariants as broken_in_the_scheduler
from tests.worker_service.ledger.invariants import broken_invariants as broken_in_the_ledger
from worker_service.ledger.pool import open_ledger

SETTLES_SECONDS_MAX = 180
# What the shortest run is long enough for.
FAULTS_MIN = 3
SUBMITS_MIN = 3
KINDS = {"kill -9", "restart", "stop"}
LAST_OF_TYPE = """
    SELECT payload->>'blob' AS blob FROM scheduler.jobs
    WHERE job_type = $1 AND result IN ('SUCCESS', 'WARNING') ORDER BY job_id DESC LIMIT 1"""
LIVE = "SELECT count(*) FROM scheduler.pipelines WHERE status = 'LIVE'"


@pytest.mark.chaos
async def test_totals_agree_with_the_files_after_chaos(open_run: OpenRun, tmp_path: Path) -> None:
    seconds = float(os.environ.get("CHAOS_SECONDS", "120"))
    seed = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    print(f"CHAOS_SEED={seed} CHAOS_SECONDS={seconds:g}")
    flights, factors = some_flights(tmp_path), some_factors(tmp_path)
    async with open_run(supervise=False, workers=3) as run:
        users = Users(run.client, random.Random(seed), flights, factors)
        faults = Faults(run.stack, random.Random(seed + 1))
        living = asyncio.create_task(users.live())
        breaking = asyncio.create_task(faults.happen())
        await asyncio.wait({living, breaking}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        faults.over = True
        await breaking
        assert not living.done(), living
        living.cancel()
        await asyncio.wait({living})
        print(
            f"{len(users.accepted)} pipelines, {len(faults.done)} faults:", *faults.done, sep="\n"
        )
        there_was_chaos(faults, users)
        # Whatever was cancelled or failed, one more of each is done to its end.
        users.accepted.append(await run.submit())
        await settled(run)
        await everybody_was_served(run, users.accepted)
        await totals_must_agree_with_the_files(run, flights, factors)


def there_was_chaos(faults: Faults, users: Users) -> None:
    """Enough faults of every kind, and pipelines that were taken in among them."""
    assert len(faults.done) >= FAULTS_MIN
    assert {fault.kind for fault in faults.done} == KINDS
    among_them = [at for at in users.accepted_at if at > faults.done[0].began_at]
    assert len(among_them) >= SUBMITS_MIN


async def settled(run: AcceptanceRun) -> None:
    """Waits until no pipeline is live, repairs included."""
    async with asyncio.timeout(SETTLES_SECONDS_MAX):
        # Nobody is told when the last of all pipelines ends.
        while (await run.fetch_row(LIVE))["count"]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def everybody_was_served(run: AcceptanceRun, accepted: Sequence[int]) -> None:
    """Every acknowledged Submit is terminal, and no attempt is overspent."""
    for pipeline_id in accepted:
        answer = await run.client.get_pipeline(pipeline_id)
        assert answer.pipeline.status in {
            types_pb2.PIPELINE_STATUS_SUCCESS,
            types_pb2.PIPELINE_STATUS_PARTIAL,
            types_pb2.PIPELINE_STATUS_FAILED,
            types_pb2.PIPELINE_STATUS_CANCELLED,
        }
        assert answer.pipeline.live_jobs == 0


async def totals_must_agree_with_the_files(
    run: AcceptanceRun, flights: Sequence[Path], factors: Sequence[Path]
) -> None:
    """The invariants hold, and the totals are those of the last files that were taken in."""
    url = run.stack.addresses.database_url
    pool = await asyncpg.create_pool(url, min_size=1, max_size=2)
    # The invariants look at every row there is: no time of a claim to be kept to.
    ledger = await open_ledger(url, application_name="test", lease_seconds=600.0)
    try:
        await pool.execute("ANALYZE")
        assert await broken_in_the_scheduler(pool) == {}
        assert await broken_in_the_ledger(ledger) == {}
    finally:
        await pool.close()
        await ledger.close()
    await run.everything_must_be_fresh()
    last_flights = await last_file(run, "csv_ingest", flights)
    times = 1 + factors.index(await last_file(run, "factor_ingest", factors))
    answer = await run.client.get_totals(YEAR)
    expected = recomputed(last_flights)
    assert answer.institution.entry_count == expected.accepted
    assert answer.institution.total_kg == pytest.approx(times * expected.kg["total"], rel=1e-9)


async def last_file(run: AcceptanceRun, job_type: str, files: Sequence[Path]) -> Path:
    """Which of the files the newest good job of a type read: jobs of a key run in order."""
    blob = (await run.fetch_row(LAST_OF_TYPE, job_type))["blob"]
    return next(file for file in files if blob == reference_of(file))


def reference_of(file: Path) -> str:
    """As the blob store names it."""
    return "blob:sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()


def some_flights(folder: Path) -> list[Path]:
    """Every hundredth flight, every seventh, and all of them."""
    files = []
    for step in (100, 7):
        target = folder / f"every_{step}.csv.gz"
        with gzip.open(FLIGHTS, "rt") as flights, gzip.open(target, "wt") as some:
            some.writelines(line for number, line in enumerate(flights) if number % step == 0)
        files.append(target)
    return [*files, FLIGHTS]


def some_factors(folder: Path) -> list[Path]:
    """The demo's factors, and twice as high."""
    once = find_files() / "factors_plane_2024.csv"
    twice = folder / "twice.csv"
    text = once.read_text()
    for figure in ("0.18287", "0.20011"):
        text = text.replace(figure, f"{2 * float(figure):.5f}")
    twice.write_text(text)
    return [once, twice]
