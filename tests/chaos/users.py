"""Users who do not wait for each other: uploads, factors twice as high and back, cancels."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.submission import CONSENT
from carbonline.command.demo import YEAR, find_files, parts_of
from carbonline.command.jobs_of_files import FileJob, factors_job, submit_file

PAUSE_SECONDS_MAX = 1.0
CALL_SECONDS_MAX = 30.0


@dataclass
class Users:
    """`accepted` are the pipelines that somebody was told of, `accepted_at` says when."""

    client: ContractClient
    random: random.Random
    flights: Sequence[Path]
    factors: Sequence[Path]
    accepted: list[int] = field(default_factory=list)
    accepted_at: list[float] = field(default_factory=list)

    async def live(self) -> None:
        """Goes on until it is cancelled."""
        await asyncio.gather(
            self._again_and_again(self._upload_flights),
            self._again_and_again(self._load_factors),
            self._again_and_again(self._cancel_something),
        )

    async def _again_and_again(self, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(self.random.uniform(0, PAUSE_SECONDS_MAX))
            try:
                async with asyncio.timeout(CALL_SECONDS_MAX):
                    await act()
            except TimeoutError:
                continue
            except ServerError as refused:
                # Who was told of no pipeline has none to look for.
                if refused.code in {"INTERNAL", "UNKNOWN"}:
                    raise

    async def _upload_flights(self) -> None:
        flights = parts_of(find_files())[-1].job
        await self._submit(
            FileJob(
                flights.job_type,
                self.random.choice(self.flights),
                flights.module,
                flights.data_entry_type,
                YEAR,
                extra=CONSENT,
            )
        )

    async def _load_factors(self) -> None:
        flights = parts_of(find_files())[-1].job
        file = self.random.choice(self.factors)
        await self._submit(factors_job(file, flights.module, flights.data_entry_type, YEAR))

    async def _submit(self, job: FileJob) -> None:
        self.accepted.append(await submit_file(self.client, job))
        self.accepted_at.append(asyncio.get_running_loop().time())

    async def _cancel_something(self) -> None:
        if self.accepted and self.random.random() < 0.2:
            await self.client.cancel_pipeline(self.random.choice(self.accepted[-5:]), "chaos")
