"""Sends one NOTIFY for many transactions, a few milliseconds after they have committed."""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable
from typing import TypeAlias

import asyncpg

from carbonline.postgres.errors import ANY_DATABASE_ERROR

CHANNEL = "carbonline"
GATHER_SECONDS = 0.003
PAYLOAD_BYTES_MAX = 7900
# A hint is not worth a write to the disk, for which the next commit would wait.
NOTIFY = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)"

# What became claimable and which pipelines changed; None means that anything may have.
OnHint: TypeAlias = Callable[[frozenset[str] | None, frozenset[int] | None], None]


class Notifier:
    """Notifies every scheduler process of what committed transactions changed.

    Calls `on_hint` of its own process at once, and sends one NOTIFY to the others some milliseconds
    later.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        """Sends through `pool`, and nothing before the first call of `wake`."""
        self._pool = pool
        self._types: set[str] = set()
        self._pipelines: set[int] = set()
        self._sender: asyncio.Task[None] | None = None
        # Tells the NOTIFYs of this process from those of others.
        self.sender_name = uuid.uuid4().hex
        self.on_hint: OnHint | None = None

    def wake(self, job_types: Iterable[str], pipeline_ids: Iterable[int]) -> None:
        """Notify of job types with claimable jobs and of changed pipelines, after COMMIT."""
        types, pipelines = frozenset(job_types), frozenset(pipeline_ids)
        if not types and not pipelines:
            return
        if self.on_hint is not None:
            self.on_hint(types, pipelines)
        self._types |= types
        self._pipelines |= pipelines
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_gathered(), name="notifier")

    def notify_activity(self, pipeline_ids: Iterable[int]) -> None:
        """Hint that jobs of these pipelines run or have progress. No row of a pipeline changes.

        Only watchers of this process get the hint; others find the activity at their next poll.
        """
        if self.on_hint is not None:
            self.on_hint(frozenset(), frozenset(pipeline_ids))

    async def close(self) -> None:
        """Send what is left."""
        if self._sender is not None:
            await asyncio.gather(self._sender, return_exceptions=True)

    async def _send_gathered(self) -> None:
        while self._types or self._pipelines:
            # This process has its hint already. What else is committed in the meantime goes along.
            await asyncio.sleep(GATHER_SECONDS)
            payload = self._take()
            try:
                await self._pool.execute(NOTIFY, CHANNEL, payload)
            except ANY_DATABASE_ERROR:
                # A lost hint costs one poll interval; the poll behind LISTEN finds the rest.
                return

    def _take(self) -> str:
        woken: dict[str, object] = {
            "from": self.sender_name,
            "types": sorted(self._types),
            "pipelines": sorted(self._pipelines),
        }
        self._types, self._pipelines = set(), set()
        payload = json.dumps(woken, separators=(",", ":"))
        if len(payload) <= PAYLOAD_BYTES_MAX:
            return payload
        return json.dumps({"from": self.sender_name, "all": True}, separators=(",", ":"))
