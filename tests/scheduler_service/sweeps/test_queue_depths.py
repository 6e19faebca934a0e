"""The metrics by which workers are scaled say how many jobs wait, and for how long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from prometheus_client import CollectorRegistry
from structlog.typing import EventDict, FilteringBoundLogger

from scheduler_service.jobs.scope import Scope
from scheduler_service.metrics import Metrics
from scheduler_service.store.reads.answers import QueueDepth
from scheduler_service.sweeps.queue_depths import publish_queue_depths
from tests.scheduler_service.store.store_driver import TENANT, StoreDriver

NOOP = Scope(TENANT)
LOOK_SECONDS = 0.02


class Published:
    """What is published, and the metrics that say so."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._metrics = Metrics(self._registry)
        self._looks: asyncio.Queue[QueueDepth] = asyncio.Queue()

    def take(self, depth: QueueDepth) -> None:
        self._metrics.queue_is(depth)
        if depth.job_type == "noop":
            self._looks.put_nowait(depth)

    async def next_look(self) -> tuple[float | None, float | None]:
        """The next one that begins from now on, as it is scraped."""
        while not self._looks.empty():
            self._looks.get_nowait()
        # The first may have begun before.
        for _ in range(2):
            await asyncio.wait_for(self._looks.get(), 10)
        names = ("carbonline_scheduler_queued_jobs", "carbonline_scheduler_oldest_queued_seconds")
        jobs, age = (self._registry.get_sample_value(name, {"job_type": "noop"}) for name in names)
        return jobs, age


@asynccontextmanager
async def publishing(
    driver: StoreDriver, log: FilteringBoundLogger | None = None
) -> AsyncIterator[Published]:
    published = Published()
    looks = publish_queue_depths(
        driver.store, published.take, log or structlog.get_logger(), LOOK_SECONDS
    )
    task = asyncio.create_task(looks)
    try:
        yield published
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_claimable_jobs_are_counted_with_the_age_of_the_oldest(driver: StoreDriver) -> None:
    async with publishing(driver) as published:
        assert await published.next_look() == (0, 0)
        await driver.submit("noop", NOOP)
        await driver.pass_time(timedelta(seconds=60))
        await driver.submit("noop", NOOP)
        jobs, age = await published.next_look()
        assert jobs == 2
        assert age is not None
        assert 60 <= age < 90
        await driver.claim("noop")
        jobs, age = await published.next_look()
        assert jobs == 1
        assert age is not None
        assert 0 <= age < 30


async def test_looks_go_on_after_one_that_failed(driver: StoreDriver) -> None:
    failed = asyncio.Event()

    def note(_logger: object, _method: str, line: EventDict) -> EventDict:
        assert line["event"] == "queue_depths_failed"
        failed.set()
        raise structlog.DropEvent

    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[note])
    async with publishing(driver, log) as published:
        await driver.store.pool.execute("ALTER TABLE scheduler.jobs RENAME TO hidden")
        await asyncio.wait_for(failed.wait(), 10)
        await driver.store.pool.execute("ALTER TABLE scheduler.hidden RENAME TO jobs")
        await driver.submit("noop", NOOP)
        jobs, _ = await published.next_look()
        assert jobs == 1
