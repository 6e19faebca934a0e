"""Users who do not wait for each other: uploads, factors twice as high and back, cancels, jobs that
kill their worker, and a tenant that floods the queue.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.submission import CONSENT
from carbonline.client.view import PipelineView
from carbonline.command.demo import YEAR, find_files, parts_of
from carbonline.command.jobs_of_files import FileJob, factors_job, submit_file
from tests.shake.shaken_worker import KILLS, RAISES

PAUSE_SECONDS_MAX = 1.0
CALL_SECONDS_MAX = 30.0
# Watches last longer than any outage.
PATIENCE_SECONDS = 180.0
FLOOD_JOBS = 50
# Also while tokens and keys are renewed.
NEVER = frozenset({"INTERNAL", "UNKNOWN", "UNAUTHENTICATED", "PERMISSION_DENIED"})
# A flight that two agencies report counts twice: two sources do not replace each other.
SOURCES = ("", "agency")


@dataclass
class Users:
    """`accepted` are the pipelines that somebody was told of, in order, each with the time of it by
    the event loop's clock. `watching` are their watches. The last one of `flights` is the largest.

    `poisons` is how many jobs that kill or break their worker are submitted.
    """

    client: ContractClient
    flood: ContractClient
    random: random.Random
    flights: Sequence[Path]
    factors: Sequence[Path]
    poisons: int
    accepted: dict[int, float] = field(default_factory=dict)
    watching: list[asyncio.Task[PipelineView]] = field(default_factory=list)
    flooded: int = 0

    async def live(self) -> None:
        """Goes on until it is cancelled."""
        await asyncio.gather(
            self._again_and_again(self._upload_flights),
            self._again_and_again(self._load_factors),
            self._again_and_again(self._cancel_something),
            self._again_and_again(self._poison),
            self._again_and_again(self._flood),
        )

    async def one_of_each(self) -> Sequence[int]:
        """Whatever was cancelled, the largest file for each source and factors are done to their
        end.
        """
        largest = self.flights[-1]
        acts: list[Callable[[], Awaitable[None]]] = [
            *(partial(self._submit, _upload(largest, source)) for source in SOURCES),
            self._load_factors,
        ]
        for act in acts:
            # What was killed last may not be there again.
            while not await self._succeeds(act):  # noqa: ASYNC110
                await asyncio.sleep(PAUSE_SECONDS_MAX)
        return list(self.accepted)[-len(acts) :]

    async def _again_and_again(self, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(self.random.uniform(0, PAUSE_SECONDS_MAX))
            await self._succeeds(act)

    async def _succeeds(self, act: Callable[[], Awaitable[None]]) -> bool:
        try:
            async with asyncio.timeout(CALL_SECONDS_MAX):
                await act()
        except TimeoutError:
            return False
        except ServerError as refused:
            # Who was told of no pipeline has none to look for.
            if refused.code in NEVER:
                raise
            return False
        return True

    async def _upload_flights(self) -> None:
        file, source = self.random.choice(self.flights), self.random.choice(SOURCES)
        await self._submit(_upload(file, source))

    async def _load_factors(self) -> None:
        flights = parts_of(find_files())[-1].job
        file = self.random.choice(self.factors)
        await self._submit(factors_job(file, flights.module, flights.data_entry_type, YEAR))

    async def _submit(self, job: FileJob) -> None:
        pipeline_id = await submit_file(self.client, job)
        # A job like one that waits already joins its pipeline, which is the last one again.
        self.accepted.pop(pipeline_id, None)
        self.accepted[pipeline_id] = asyncio.get_running_loop().time()
        self.watching.append(asyncio.create_task(self._watch(pipeline_id)))

    async def _watch(self, pipeline_id: int) -> PipelineView:
        view = PipelineView()
        async for event in self.client.watch(pipeline_id, patience_seconds=PATIENCE_SECONDS):
            view.apply(event)
        return view

    async def _cancel_something(self) -> None:
        if self.accepted and self.random.random() < 0.2:
            await self.client.cancel_pipeline(
                self.random.choice(list(self.accepted)[-5:]), "shaken"
            )

    async def _poison(self) -> None:
        if self.poisons:
            scope = self.client.scope(unit=(RAISES, KILLS)[self.poisons % 2])
            await self.client.submit("noop", scope)
            self.poisons -= 1

    async def _flood(self) -> None:
        scope = self.flood.scope()
        await asyncio.gather(*(self.flood.submit("noop", scope) for _ in range(FLOOD_JOBS)))
        self.flooded += FLOOD_JOBS


def _upload(file: Path, source: str) -> FileJob:
    flights = parts_of(find_files())[-1].job
    named = {"source": source} if source else {}
    return FileJob(
        flights.job_type,
        file,
        flights.module,
        flights.data_entry_type,
        YEAR,
        extra={**CONSENT, **named},
    )
