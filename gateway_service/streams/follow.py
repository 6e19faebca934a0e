"""Follows WatchPipelines for all who watch with the same rights, with jobs and years beside it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc.aio

from carbonline.v1 import scheduler_pb2, types_pb2
from gateway_service.services import Services, method_of
from gateway_service.streams.rows import (
    LIVE,
    PIPELINES_MAX,
    Key,
    Row,
    jobs_of,
    pipelines_of,
    plain,
)
from gateway_service.streams.standing_years import Place, StandingYears, place_of
from gateway_service.transcode.problems import Problem

WATCH = "carbonline.v1.SchedulerService.WatchPipelines"
# Between two rounds: what changes meanwhile is told together, and its jobs are asked for once.
PAUSE_SECONDS = 0.5
# A year may be locked while no pipeline changes.
YEARS_SECONDS = 2.0
# So many pipelines are asked for their jobs in a round; the others have their turn in the next.
ASKED_FOR_JOBS_MAX = 20


class Take(Protocol):
    """Gets the rows of a round. A `whole` round names all pipelines that are live; with
    `more_live`, those that changed last, and others may be.
    """

    def __call__(self, rows: Mapping[Key, Row], *, whole: bool, more_live: bool) -> None:
        """Takes them."""


@dataclass
class _News:
    """What was told and is not passed on yet: of each row the newest. `whole` replaces all, and
    `more_live` says of it that it does not name all that is live.
    """

    pipelines: dict[int, types_pb2.Pipeline] = field(default_factory=dict)
    jobs: dict[int, types_pb2.Job] = field(default_factory=dict)
    whole: bool = False
    more_live: bool = False


class Follower:
    """One stream of the scheduler, and what is asked for beside it."""

    def __init__(self, services: Services, token: str, live: dict[int, Place], take: Take) -> None:
        """`live` are the pipelines that an earlier stream has told of as live, and what they are
        about: their ends must be told. It is kept up to date.
        """
        self._services = services
        self._token = token
        self._live = live
        self._take = take
        self._years = StandingYears(services, token)
        self._news = _News()
        # The pages of rows that are not there to their last.
        self._pages = _News()
        self._came = asyncio.Event()
        # Pipelines whose jobs are not asked for yet, oldest first.
        self._behind: dict[int, None] = {}
        # Whether the stream has begun.
        self.answered = False

    async def run(self) -> None:
        """Follows until the stream ends, which raises Problem."""
        request = scheduler_pb2.WatchPipelinesRequest(ended_max=PIPELINES_MAX, with_activity=True)
        call = self._services.stream(method_of(WATCH), request, self._token)
        reading = asyncio.create_task(self._read(call), name="follower")
        try:
            # The first rows; or the refusal.
            await self._came.wait()
            while True:
                if reading.done():
                    reading.result()
                await self._round()
                await asyncio.sleep(PAUSE_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(YEARS_SECONDS):
                        await self._came.wait()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, call: Any) -> None:
        try:
            async for message in call:
                self._note(message)
        except grpc.aio.AioRpcError as error:
            raise self._services.problem(method_of(WATCH), error) from error
        finally:
            call.cancel()
            self._came.set()
        raise Problem(503, "DRAINING", "The scheduler has ended the stream. Try again.")

    def _note(self, message: scheduler_pb2.WatchPipelinesResponse) -> None:
        match message.WhichOneof("message"):
            case "rows":
                if message.rows.first:
                    self._pages = _News(whole=True)
                self._pages.pipelines.update(
                    (one.pipeline_id, one) for one in message.rows.pipelines
                )
                self._pages.more_live |= message.rows.has_more_live
                if not message.rows.more:
                    self._take_pages()
            case "activity":
                self._news.jobs.update((one.job_id, one) for one in message.activity.jobs)
                self._came.set()
            case _:
                pass

    def _take_pages(self) -> None:
        pages, self._pages = self._pages, _News()
        if pages.whole:
            self._news = _News(whole=True, more_live=pages.more_live)
        self._news.pipelines.update(pages.pipelines)
        self._came.set()

    async def _round(self) -> None:
        """Passes on what came, with the jobs of what changed.

        Years are asked for last: a total is never out of date beside a pipeline that seems to run
        no more, since what ended before is in the freshness that is read after.
        """
        self._came.clear()
        news, self._news = self._news, _News()
        pipelines = dict(news.pipelines)
        if news.whole:
            pipelines.update(await self._gone(pipelines))
        self._mark(pipelines, whole=news.whole)
        jobs = news.jobs | await self._asked_jobs()
        years, begun = await self._years.read(self._live.values())
        self._mark(begun, whole=False)
        pipelines.update(begun)
        if self._behind:
            self._came.set()
        rows: dict[Key, Row] = {
            ("pipelines", str(number)): plain(pipelines[number]) for number in sorted(pipelines)
        }
        rows.update((("jobs", str(number)), plain(job)) for number, job in jobs.items())
        rows.update((("years", str(year.year)), plain(year)) for year in years)
        self.answered = True
        self._take(rows, whole=news.whole, more_live=news.more_live)

    async def _gone(
        self, named: Mapping[int, types_pb2.Pipeline]
    ) -> Mapping[int, types_pb2.Pipeline]:
        """What was live and is not named has ended, or is one of more than are named: it is asked
        for.
        """
        gone = self._live.keys() - named.keys()
        found = {
            one.pipeline_id: one for one in await pipelines_of(self._services, self._token, gone)
        }
        self._behind.update(dict.fromkeys(sorted(found)))
        for number in gone:
            del self._live[number]
        return found

    async def _asked_jobs(self) -> dict[int, types_pb2.Job]:
        """The jobs of the first that have changed."""
        asked = list(self._behind)[:ASKED_FOR_JOBS_MAX]
        found = await asyncio.gather(
            *(jobs_of(self._services, self._token, number) for number in asked)
        )
        for number in asked:
            del self._behind[number]
        return {job.job_id: job for jobs in found for job in jobs}

    def _mark(self, pipelines: Mapping[int, types_pb2.Pipeline], *, whole: bool) -> None:
        """Notes what is live, and whose jobs to ask for: of what ended before all this, a page asks
        itself.
        """
        for number, one in pipelines.items():
            if one.status in LIVE or number in self._live or not whole:
                self._behind[number] = None
            if one.status in LIVE:
                self._live[number] = place_of(one)
            else:
                self._live.pop(number, None)
