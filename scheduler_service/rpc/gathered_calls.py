"""Gathers Submits, Finishes and Releases that come at once, whichever RPC they come by."""

import asyncio
import random
from collections.abc import Sequence
from typing import TypeVar

from carbonline.postgres.errors import is_locked
from scheduler_service.jobs.requests import (
    FinishAnswer,
    FinishRequest,
    Refused,
    Release,
    Submission,
    Submitted,
)
from scheduler_service.store.core.gather import Gatherer
from scheduler_service.store.core.unlocked import LOCKED_PAUSE_SECONDS, LOCKED_SECONDS_MAX
from scheduler_service.store.store import Store

BATCH_MAX = 500
# While one full batch is written, the next one is prepared. This also holds for Finishes of one
# pipeline, although the second batch then waits for the first.
BATCHES_MAX = 2
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class GatheredCalls:
    """The one way to submit, finish and release jobs. Those that come at once share a transaction,
    and one that needs what somebody else has locked holds up no other. One per scheduler.
    """

    def __init__(self, store: Store) -> None:
        """Nothing is asked of the store before the first call."""
        self._submits: Gatherer[Submission, Submitted | Refused] = Gatherer(
            store.submit_unlocked, BATCH_MAX, BATCHES_MAX
        )
        self._finishes: Gatherer[FinishRequest, FinishAnswer | Refused] = Gatherer(
            store.finish_unlocked, BATCH_MAX, BATCHES_MAX
        )
        self._releases: Gatherer[Release, bool] = Gatherer(store.release_unlocked, BATCH_MAX)
        # Batches of their own for those that others have locked.
        self._locked_submits: Gatherer[Submission, Submitted | Refused] = Gatherer(
            store.submit_unlocked, BATCH_MAX
        )
        self._locked_finishes: Gatherer[FinishRequest, FinishAnswer | Refused] = Gatherer(
            store.finish_unlocked, BATCH_MAX
        )
        self._locked_releases: Gatherer[Release, bool] = Gatherer(store.release_unlocked, BATCH_MAX)

    async def submit(
        self, submissions: Sequence[Submission]
    ) -> list[Submitted | Refused | Exception]:
        """One answer per submission, in order, or the exception with which it failed; idempotent
        by (tenant, request_id). What is still locked after LOCKED_SECONDS_MAX fails with
        LockNotAvailableError.

        Raises what every submission would have met, such as the loss of the database.
        """
        return await _until_unlocked(self._submits, self._locked_submits, submissions)

    async def finish(
        self, requests: Sequence[FinishRequest]
    ) -> list[FinishAnswer | Refused | Exception]:
        """The compare-and-set, one answer per request, in order; fails and raises as `submit`."""
        return await _until_unlocked(self._finishes, self._locked_finishes, requests)

    async def release(self, releases: Sequence[Release]) -> list[bool | Exception]:
        """One answer per release, in order; fails and raises as `submit`."""
        return await _until_unlocked(self._releases, self._locked_releases, releases)


async def _until_unlocked(
    first: Gatherer[Item, Answer], locked: Gatherer[Item, Answer], items: Sequence[Item]
) -> list[Answer | Exception]:
    """An answer for each. What somebody else has locked is asked for again in a batch of its own,
    until LOCKED_SECONDS_MAX are over or the caller hangs up.
    """
    answers = await first.ask_all(items)
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + LOCKED_SECONDS_MAX
    while places := [place for place, answer in enumerate(answers) if is_locked(answer)]:
        if loop.time() > ends_at:
            break
        await asyncio.sleep(random.uniform(*LOCKED_PAUSE_SECONDS))  # noqa: S311
        again = await locked.ask_all([items[place] for place in places])
        for place, answer in zip(places, again, strict=True):
            answers[place] = answer
    return answers
