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
# Pipelines whose jobs run or have progress.
OnActivity: TypeAlias = Callable[[frozenset[int]], None]


class Notifier:
    """Notifies every scheduler process of what committed transactions changed.

    Calls `on_hint` of its own process at once, and sends one NOTIFY to the others some milliseconds
    later, if there are any.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        """Sends through `pool`, and nothing before the first call of `wake`."""
        self._pool = pool
        self._types: set[str] = set()
        self._pipelines: set[int] = set()
        self._inserted: set[int] = set()
        self._sender: asyncio.Task[None] | None = None
        # Tells the NOTIFYs of this process from those of others.
        self.sender_name = uuid.uuid4().hex
        self.on_hint: OnHint | None = None
        self.on_activity: OnActivity | None = None
        # False only while it is known that no other process listens: a NOTIFY is a transaction.
        self._others_listen = True
        self._is_all = False

    @property
    def others_listen(self) -> bool:
        """Whether another process may listen."""
        return self._others_listen

    def note_others(self, *, listen: bool) -> None:
        """Note whether another process may listen. One that has begun to, unknown to this process,
        is told to look at everything: it was not told what was committed since.
        """
        begins, self._others_listen = listen and not self._others_listen, listen
        if begins:
            self._is_all = True
            self._send()

    def wake(
        self, job_types: Iterable[str], changed: Iterable[int], inserted: Iterable[int] = ()
    ) -> None:
        """Notify of job types with claimable jobs, of pipelines that have changed and of new ones,
        after COMMIT.
        """
        types, pipelines, new = frozenset(job_types), frozenset(changed), frozenset(inserted)
        if not types and not pipelines and not new:
            return
        if self.on_hint is not None:
            self.on_hint(types, pipelines | new)
        if not self._others_listen:
            return
        self._types |= types
        self._pipelines |= pipelines
        self._inserted |= new
        self._send()

    def _send(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_gathered(), name="notifier")

    def notify_activity(self, pipeline_ids: Iterable[int]) -> None:
        """Hint that jobs of these pipelines run or have progress. No row of a pipeline changes.

        Only watchers of this process get the hint; others find the activity at their next poll.
        """
        if self.on_activity is not None:
            self.on_activity(frozenset(pipeline_ids))

    async def close(self) -> None:
        """Send what is left."""
        if self._sender is not None:
            await asyncio.gather(self._sender, return_exceptions=True)

    async def _send_gathered(self) -> None:
        while self._types or self._pipelines or self._inserted or self._is_all:
            # This process has its hint already. What else is committed in the meantime goes along.
            await asyncio.sleep(GATHER_SECONDS)
            payload = self._take()
            try:
                await self._pool.execute(NOTIFY, CHANNEL, payload)
            except ANY_DATABASE_ERROR:
                # A lost hint costs one poll interval; the poll behind LISTEN finds the rest.
                return

    def _take(self) -> str:
        types, pipelines, inserted = sorted(self._types), self._pipelines, self._inserted
        is_all = self._is_all
        self._types, self._pipelines, self._inserted = set(), set(), set()
        self._is_all = False
        # Only who watches all waits for new pipelines, and a poll finds them, too. If they do not
        # fit, the others need not read everything.
        for named in () if is_all else (pipelines | inserted, pipelines):
            woken = {"from": self.sender_name, "types": types, "pipelines": sorted(named)}
            payload = json.dumps(woken, separators=(",", ":"))
            if len(payload) <= PAYLOAD_BYTES_MAX:
                return payload
        return self.greeting()

    def greeting(self) -> str:
        """The hint that anything may have changed: it says, too, that this process listens."""
        return json.dumps({"from": self.sender_name, "all": True}, separators=(",", ":"))
