"""Remembers what workers' rows say, so that not every empty poll writes or reads more of them."""

import math
import time
from collections.abc import Iterable
from typing import TypeAlias
from uuid import UUID

from scheduler_service.store.core.statements import Row

# A worker and its principal.
Worker: TypeAlias = tuple[UUID, str]

WORKERS_REMEMBERED_MAX = 10_000
SEE_WORKER_EVERY_SECONDS = 3.0
# A worker that is silent for a lease is lost, so an idle one is written down several times in it.
SEEN_PER_LEASE = 4


class WorkerNameRow(Row):
    """A worker and its principal."""

    __slots__ = ()
    worker_id: UUID
    principal: str


class SeenWorkers:
    """What this process remembers of the workers' rows: when it wrote each, which it deleted
    because the worker has ended, and which say that the worker is to drain.
    """

    def __init__(self, lease_seconds: float = math.inf) -> None:
        """Nobody seen yet. `lease_seconds` is how long a silent worker counts as live."""
        self._lease_seconds = lease_seconds
        self._seen: dict[UUID, float] = {}
        self._ended: set[UUID] = set()
        self._drains: set[Worker] = set()

    def is_news(self, worker_id: UUID) -> bool:
        """True at most every few seconds per worker."""
        now = time.monotonic()
        every_seconds = min(SEE_WORKER_EVERY_SECONDS, self._lease_seconds / SEEN_PER_LEASE)
        if now - self._seen.get(worker_id, -math.inf) < every_seconds:
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

    def learn_drains(self, workers: Iterable[Worker]) -> None:
        """Their rows say that they are to drain."""
        if len(self._drains) >= WORKERS_REMEMBERED_MAX:
            self._drains.clear()
        self._drains.update(workers)

    def is_to_drain(self, worker: Worker) -> bool:
        """Whether a row of the worker has said so."""
        return worker in self._drains

    def _remember(self, worker_id: UUID, now: float) -> None:
        if len(self._seen) >= WORKERS_REMEMBERED_MAX:
            self._seen.clear()
            self._ended.clear()
        self._seen[worker_id] = now
