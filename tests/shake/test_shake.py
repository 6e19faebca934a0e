"""Faults under use: nothing is lost or done twice, and nobody fails for what another one did."""

import asyncio
import hashlib
import os
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from carbonline.command.demo import YEAR, find_files
from carbonline.v1 import monitoring_pb2, types_pb2
from tests.acceptance.acceptance_run import FLIGHTS, recomputed, write_some_flights
from tests.scheduler_service.store.invariants import broken_invariants as broken_in_the_scheduler
from tests.shake.faults import Faults, Kind, plan
from tests.shake.settling import settled
from tests.shake.shaken_run import ShakenRun, shaken_run
from tests.shake.shaken_worker import KILLS, RAISES
from tests.shake.users import PATIENCE_SECONDS, SOURCES, Users
from tests.worker_service.ledger.invariants import broken_invariants as broken_in_the_ledger
from worker_service.ledger.pool import open_ledger

SECONDS_PER_POISON = 20
SUBMITS_MIN = 3
# So long, there is time to read the whole year, now and then, and until all has ended.
LONG_SECONDS = 120.0
LAST_OF_SOURCE = """
    SELECT payload->>'blob' AS blob FROM scheduler.jobs
    WHERE job_type = $1 AND result IN ('SUCCESS', 'WARNING')
        AND coalesce(payload->>'source', '') = $2
    ORDER BY job_id DESC LIMIT 1"""
ENDED_BADLY = """
    SELECT job_id, job_type, unit, error_cause, message, attempts
    FROM scheduler.jobs WHERE result = 'ERROR' ORDER BY job_id"""
FLOODED = """
    SELECT count(*) FROM scheduler.jobs
    WHERE tenant = 'flood' AND result IS DISTINCT FROM 'SUCCESS'"""


@pytest.mark.shake
@pytest.mark.parametrize("over_tls", [False, True], ids=["sockets", "tls"])
async def test_nothing_is_lost_and_nobody_fails_for_another(
    tmp_path: Path, *, over_tls: bool
) -> None:
    seconds = float(os.environ.get("SHAKE_SECONDS", "120"))
    seed = int(os.environ.get("SEED", "") or random.SystemRandom().randrange(1, 10**6))
    print(f"SEED={seed} SHAKE_SECONDS={seconds:g}")
    flights = some_flights(tmp_path, whole=seconds >= LONG_SECONDS)
    factors = some_factors(tmp_path)
    async with shaken_run(tmp_path, over_tls=over_tls) as run:
        poisons = round(seconds / SECONDS_PER_POISON)
        users = Users(run.client, run.flood, random.Random(seed), flights, factors, poisons)
        faults = Faults(run.stack, run.ledger_database)
        names = tuple(run.stack.names)
        living = asyncio.create_task(users.live())
        breaking = asyncio.create_task(faults.happen(plan(seed, seconds, names)))
        await asyncio.wait({living, breaking}, return_when=asyncio.FIRST_COMPLETED)
        assert not living.done(), living
        living.cancel()
        await asyncio.wait({living})
        await breaking
        print(*faults.done, sep="\n")
        print(f"{len(users.accepted)} pipelines and a flood of {users.flooded} jobs")
        there_was_enough(faults, users)
        last = await users.one_of_each()
        await settled(run)
        for pipeline_id in last:
            answer = await run.client.get_pipeline(pipeline_id)
            assert answer.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, answer
        await nobody_failed_for_another(run)
        await everybody_was_served(run, users)
        await the_history_must_be_sound(run)
        await totals_must_agree_with_the_files(run, flights, factors)


def there_was_enough(faults: Faults, users: Users) -> None:
    """Faults of every kind that hit something, and pipelines among them."""
    assert {fault.kind for fault in faults.done} == set(Kind)
    assert faults.first_at is not None
    meanwhile = [at for at in users.accepted.values() if at > faults.first_at]
    assert len(meanwhile) >= SUBMITS_MIN
    assert users.flooded
    assert users.poisons == 0


async def nobody_failed_for_another(run: ShakenRun) -> None:
    """Only poison ends with an error, and every flooding job with success."""
    failed = [dict(row) for row in await run.rows(ENDED_BADLY)]
    print("failed:", Counter((one["job_type"], one["error_cause"]) for one in failed))
    assert [one for one in failed if one["unit"] not in (RAISES, KILLS)] == []
    assert {one["unit"] for one in failed} == {RAISES, KILLS}
    assert (await run.fetch_row(FLOODED))["count"] == 0


async def everybody_was_served(run: ShakenRun, users: Users) -> None:
    """Every watch came to its end, and saw what the tables say."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        views = await asyncio.gather(*users.watching)
    for view in views:
        assert view.pipeline is not None
        answer = await run.client.get_pipeline(view.pipeline.pipeline_id)
        assert view.pipeline == answer.pipeline
        seen = [(job_id, job.result) for job_id, job in sorted(view.jobs.items())]
        there = [(job.job_id, job.result) for job in answer.jobs]
        assert seen == there


async def the_history_must_be_sound(run: ShakenRun) -> None:
    """The invariants hold, as `carbonline verify` finds too."""
    await run.everything_must_be_fresh()
    stale = await run.client.list_stale_stats(monitoring_pb2.ListStaleStatsRequest())
    assert list(stale.stats) == []
    for tenant in ("local", "flood"):
        code, said = await run.command("verify", "--tenant", tenant)
        assert code == 0, said
    pool = await asyncpg.create_pool(run.stack.addresses.database_url, min_size=1, max_size=2)
    # The invariants look at every row there is: no time of a claim to be kept to.
    ledger = await open_ledger(run.ledger_url, application_name="test", lease_seconds=600.0)
    try:
        await pool.execute("ANALYZE")
        assert await broken_in_the_scheduler(pool) == {}
        assert await broken_in_the_ledger(ledger) == {}
    finally:
        await pool.close()
        await ledger.close()


async def totals_must_agree_with_the_files(
    run: ShakenRun, flights: Sequence[Path], factors: Sequence[Path]
) -> None:
    """The totals are those of the last files of each source that were taken in."""
    expected = [
        recomputed(await last_file(run, "csv_ingest", flights, source)) for source in SOURCES
    ]
    times = 1 + factors.index(await last_file(run, "factor_ingest", factors))
    answer = await run.client.get_totals(YEAR)
    assert answer.institution.entry_count == sum(one.accepted for one in expected)
    kg = times * sum(one.kg["total"] for one in expected)
    assert answer.institution.total_kg == pytest.approx(kg, rel=1e-9)


async def last_file(run: ShakenRun, job_type: str, files: Sequence[Path], source: str = "") -> Path:
    """Which of the files the newest good job of a type read: jobs of a key run in order."""
    blob = (await run.fetch_row(LAST_OF_SOURCE, job_type, source))["blob"]
    return next(file for file in files if blob == reference_of(file))


def reference_of(file: Path) -> str:
    """As the blob store names it."""
    return "blob:sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()


def some_flights(folder: Path, *, whole: bool) -> list[Path]:
    """Every thousandth flight, every hundredth, every seventh; `whole`: once in a while all."""
    some = [
        write_some_flights(folder / f"every_{step}.csv.gz", every=step) for step in (1000, 100, 7)
    ]
    return [*6 * some, FLIGHTS] if whole else some


def some_factors(folder: Path) -> list[Path]:
    """The demo's factors, and twice as high."""
    once = find_files() / "factors_plane_2024.csv"
    twice = folder / "twice.csv"
    text = once.read_text()
    for figure in ("0.18287", "0.20011"):
        text = text.replace(figure, f"{2 * float(figure):.5f}")
    twice.write_text(text)
    return [once, twice]
