"""How soon the work goes on after a fault: a promise about taking it up, not about its speed."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp

from carbonline.client.errors import ServerError
from carbonline.client.view import PipelineView
from carbonline.command.demo import YEAR
from carbonline.v1 import types_pb2
from tests.acceptance.acceptance_run import Watcher

# What it takes beside the lease: to notice, to start processes, to ask again after a pause.
SECONDS_BESIDE_THE_LEASE = 5.0
GIVES_UP_SECONDS = 60.0

# Whether a job, as a watcher sees it now, shows that the work goes on: now, before, and when the
# fault was, by the database's clock. That is the clock of the machine that the tests run on.
Sign: TypeAlias = Callable[[types_pb2.Job, types_pb2.Job, float], bool]


def taken_up(now: types_pb2.Job, before: types_pb2.Job, fault_at: float) -> bool:
    """A claim that the fault did not see: a newer one of the same job, or the first of the next.

    Or the end of the job by its old claim, where the fault did not break it off.
    """
    newer = now.job_id == before.job_id and now.claim_token > before.claim_token
    return newer or _after(now.started_at, fault_at) or _after(now.finished_at, fault_at)


def worked_on(now: types_pb2.Job, before: types_pb2.Job, fault_at: float) -> bool:
    """The same, or progress that the scheduler has taken in: for faults that break off no step."""
    return taken_up(now, before, fault_at) or _after(now.progress.at, fault_at)


async def must_go_on(
    watcher: Watcher,
    pipeline_id: int,
    before: types_pb2.Job,
    fault_at: float,
    *,
    sign: Sign = taken_up,
    lease_seconds: float,
) -> None:
    """A first sign of work within the lease and SECONDS_BESIDE_THE_LEASE, counted from `fault_at`.

    That is the moment of the kill, where what was killed is started again by its owner; of the new
    `up`, where the last one ended in order; or the one in which the new `up` is ready, where the
    last one was killed. The first sign counts, and how long the rest takes does not.
    """
    view = PipelineView()
    async with asyncio.timeout(lease_seconds + GIVES_UP_SECONDS):
        async for event in watcher.client.watch(pipeline_id):
            view.apply(event)
            if any(sign(job, before, fault_at) for job in view.in_order()):
                break
        else:
            raise AssertionError(f"it ended without a sign: {view.in_order()}")
    assert time.time() - fault_at <= lease_seconds + SECONDS_BESIDE_THE_LEASE


async def must_answer(watcher: Watcher, fault_at: float, *, lease_seconds: float) -> None:
    """The ledger process is asked again and again, and answers within the same time."""
    async with asyncio.timeout(lease_seconds + GIVES_UP_SECONDS):
        while True:
            try:
                await watcher.client.get_totals(YEAR)
            except ServerError as error:
                if error.code != "UNAVAILABLE":
                    raise
                await asyncio.sleep(0.1)
            else:
                break
    assert time.time() - fault_at <= lease_seconds + SECONDS_BESIDE_THE_LEASE


def _after(moment: Timestamp, fault_at: float) -> bool:
    return moment.ToNanoseconds() / 1e9 > fault_at
