"""One NOTIFY per process every few milliseconds, after commit: a hint, never a truth."""

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

# What became claimable and which pipelines changed; None means that anything may have.
Hear: TypeAlias = Callable[[frozenset[str] | None, frozenset[int] | None], None]


class Notifier:
    """Collects what committed transactions woke, and tells every scheduler process: its own at
    once, the others by a NOTIFY some milliseconds later.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        """Sends through the given pool; nothing is sent before the first wake."""
        self._pool = pool
        self._types: set[str] = set()
        self._pipelines: set[int] = set()
        self._sender: asyncio.Task[None] | None = None
        # By which this process knows its own NOTIFYs again.
        self.sender_name = uuid.uuid4().hex
        self.hear: Hear | None = None

    def wake(self, job_types: Iterable[str], pipeline_ids: Iterable[int]) -> None:
        """Say, after the commit, what became claimable and which pipelines changed."""
        types, pipelines = frozenset(job_types), frozenset(pipeline_ids)
        if not types and not pipelines:
            return
        if self.hear is not None:
            self.hear(types, pipelines)
        self._types |= types
        self._pipelines |= pipelines
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_gathered(), name="notifier")

    def show(self, pipeline_ids: Iterable[int]) -> None:
        """Something to see in these, which is no change of theirs: a job that runs, and how far.

        For this process alone; what watches another finds it with its next look.
        """
        if self.hear is not None:
            self.hear(frozenset(), frozenset(pipeline_ids))

    async def close(self) -> None:
        """Send what is left."""
        if self._sender is not None:
            await asyncio.gather(self._sender, return_exceptions=True)

    async def _send_gathered(self) -> None:
        while self._types or self._pipelines:
            # Those of this process have heard already: what they ask for comes first, and whatever
            # else happens in the meantime goes along.
            await asyncio.sleep(GATHER_SECONDS)
            payload = self._take()
            try:
                await self._pool.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
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
