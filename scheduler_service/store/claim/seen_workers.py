"""When workers were last written down, so that it is not done at every empty poll."""

import time
from collections.abc import Iterable
from uuid import UUID

WORKERS_REMEMBERED_MAX = 10_000
SEE_WORKER_EVERY_SECONDS = 3.0


class SeenWorkers:
    """What this process remembers of the workers' rows: when it wrote each, and which it deleted
    because the worker has ended.
    """

    def __init__(self) -> None:
        """Nobody seen yet."""
        self._seen: dict[UUID, float] = {}
        self._ended: set[UUID] = set()

    def is_news(self, worker_id: UUID) -> bool:
        """True at most every few seconds per worker."""
        now = time.monotonic()
        if now - self._seen.get(worker_id, -SEE_WORKER_EVERY_SECONDS) < SEE_WORKER_EVERY_SECONDS:
            return False
        self._remember(worker_id, now)
        self._ended.discard(worker_id)
        return True

    def ended(self, worker_ids: Iterable[UUID]) -> None:
        """Their rows are gone. An empty poll that was on its way shall not bring one back."""
        now = time.monotonic()
        for worker_id in worker_ids:
            self._remember(worker_id, now)
            self._ended.add(worker_id)

    def is_back(self, worker_id: UUID) -> bool:
        """True once for a worker that has ended: to be asked when it got a job all the same."""
        if worker_id not in self._ended:
            return False
        self._ended.discard(worker_id)
        return True

    def _remember(self, worker_id: UUID, now: float) -> None:
        if len(self._seen) >= WORKERS_REMEMBERED_MAX:
            self._seen.clear()
            self._ended.clear()
        self._seen[worker_id] = now
