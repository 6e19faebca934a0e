"""Ends and releases of jobs: sent to the scheduler in batches, again until it answers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from structlog.typing import FilteringBoundLogger

from carbonline.gatherer import Gatherer
from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.scheduler import SchedulerUnreachable

CALLS_MAX = 2


class _Unanswered:
    """Stands for the answer to a call that got none."""


UNANSWERED = _Unanswered()
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Gathered(Generic[Item, Answer]):
    """Sends items in batches: one call in flight at a time, two if a whole batch waits."""

    def __init__(
        self,
        send: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | None]]],
        weight_max: int,
        log: FilteringBoundLogger,
        weight: Callable[[Item], int] | None = None,
    ) -> None:
        """`send` takes at least one item and at most `weight_max` of weight, and returns one
        answer per item, in order: None for an item that could not be decided now, whatever
        happened to the others. `weight` says what an item weighs; without it, 1.
        """
        self._send = send
        self._log = log
        self._backoff = Backoff()
        self._gatherer: Gatherer[Item, Answer | _Unanswered | None] = Gatherer(
            self._answers,
            weight_max,
            fails_all=_concerns_all,
            weight=weight,
            batches_max=CALLS_MAX,
        )

    async def ask(self, item: Item, worth_it: Callable[[], bool]) -> Answer | None:
        """Sends an item. Returns its answer, or None if none came while `worth_it()` was true.

        Raises SchedulerRefused if this item is refused, whatever else was in its batch, and what
        `send` raises of this item alone.
        """
        own_backoff: Backoff | None = None
        while True:
            answer = await self._gatherer.ask(item)
            if answer is None:
                # Its own pause: the others of its batch have their answers.
                own_backoff = own_backoff or Backoff()
                await asyncio.sleep(own_backoff.next_seconds())
            elif not isinstance(answer, _Unanswered):
                return answer
            if not worth_it():
                return None

    async def _answers(self, items: Sequence[Item]) -> Sequence[Answer | _Unanswered | None]:
        """The answers; after a pause, UNANSWERED for each if the scheduler did not answer."""
        try:
            answers = await self._send(items)
        except SchedulerUnreachable as error:
            self._log.warning("finish_or_release_unanswered", reason=str(error), jobs=len(items))
            # Within the call: what comes meanwhile waits for the same batch.
            await asyncio.sleep(self._backoff.next_seconds())
            return [UNANSWERED] * len(items)
        self._backoff.reset()
        if len(answers) != len(items):
            raise ValueError(f"{len(answers)} answers came for {len(items)} items")
        return answers


def _concerns_all(error: Exception) -> bool:
    """Whether an error is not about one item. One invalid item makes the scheduler refuse all, and
    one of which no message can be made keeps all from being sent.
    """
    return isinstance(error, SchedulerUnreachable)
