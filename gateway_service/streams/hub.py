"""One stream serves all who watch: rows are states, so who is slow gets the newest of each.

A hub follows the scheduler for as long as somebody watches. It keeps each row with the number of
the round that changed it (`kept_rows.py`). A viewer remembers the last number that it was sent, and
takes what is newer: nothing is queued for a slow reader, and the bytes of a message are made once
for all who are equally far.
"""

import asyncio
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from structlog.typing import FilteringBoundLogger

from carbonline.v1 import operations_pb2
from gateway_service.access.tenant import chosen_tenant
from gateway_service.metrics import GatewayMetrics
from gateway_service.services import Services
from gateway_service.streams.follow import Follower
from gateway_service.streams.kept_rows import KeptRows
from gateway_service.streams.rows import Key, Row
from gateway_service.streams.standing_years import Place
from gateway_service.transcode.problems import Problem

# A scheduler ends its streams so in good order, and another may be there.
ROUTINE = frozenset({"STREAM_MAXIMUM_AGE", "DRAINING", "READER_TOO_SLOW"})
MADE_MAX = 8


class Hub:
    """The rows that callers with the same rights may see.

    It asks with the token of one of its viewers: whichever of them it is, the services answer the
    same. One that is refused is not used again.
    """

    def __init__(
        self, services: Services, metrics: GatewayMetrics, log: FilteringBoundLogger
    ) -> None:
        self._services = services
        self._metrics = metrics
        self._log = log
        self._tokens: Counter[str] = Counter()
        self._refused: set[str] = set()
        self._live: dict[int, Place] = {}
        self._rows = KeptRows()
        # Whether more may be live than the rows name, as the newest whole round said.
        self._more_live = False
        self._made: dict[tuple[int, int], bytes] = {}
        self._problem: Problem | None = None
        self._news = asyncio.Event()
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def viewers(self) -> int:
        """How many watch."""
        return self._tokens.total()

    def enter(self, token: str) -> None:
        """A viewer has come, whose token was good a moment ago."""
        self._tokens[token] += 1
        self._refused.discard(token)

    def leave(self, token: str) -> None:
        """It has gone."""
        self._tokens[token] -= 1
        if not self._tokens[token]:
            del self._tokens[token]
            self._refused.discard(token)

    async def first(self) -> tuple[int, bytes]:
        """The number of the newest round, and everything there is. Raises Problem."""
        if self._task is None or self._task.done():
            self._problem = None
            self._looked.clear()
            self._task = asyncio.create_task(self._follow_on(), name="hub")
        await self._looked.wait()
        if self._problem is not None:
            raise self._problem
        return self._rows.number, self._message(0)

    async def after(self, number: int, seconds: float) -> tuple[int, bytes]:
        """What is newer than a number, as soon as there is something; empty after `seconds`.

        Raises Problem once the services do not answer any more.
        """
        try:
            async with asyncio.timeout(seconds):
                while self._rows.number <= number and self._problem is None:
                    await self._news.wait()
        except TimeoutError:
            return number, b""
        if self._problem is not None:
            raise self._problem
        return self._rows.number, self._message(self._rows.begin(number))

    async def close(self) -> None:
        """Ends the stream."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow_on(self) -> None:
        try:
            while True:
                await self._follow()
        except Problem as problem:
            self._problem = problem
        except Exception as error:  # noqa: BLE001 - viewers are told, and come back
            self._log.error("look_failed", exc_info=error)
            self._problem = Problem(503, "LOOK_FAILED", "The gateway failed to look.")
        finally:
            self._looked.set()
            self._wake()

    async def _follow(self) -> None:
        """Returns if another stream may go on. Raises Problem."""
        # If all are refused, one of them is: that of who left meanwhile was used until now.
        usable = (one for one in self._tokens if one not in self._refused)
        token = next(usable, next(iter(self._tokens)))
        follower = Follower(self._services, token, self._live, self.take)
        try:
            await follower.run()
        except Problem as problem:
            if problem.status == HTTPStatus.UNAUTHORIZED:
                self._refused.add(token)
                if self._tokens.keys() - self._refused:
                    return
            if problem.reason not in ROUTINE or not follower.answered:
                raise

    def take(self, rows: Mapping[Key, Row], *, whole: bool, more_live: bool) -> None:
        """Keeps the rows of a round, as KeptRows does, and wakes the viewers if any is new."""
        turns = whole and more_live != self._more_live
        if turns:
            self._more_live = more_live
        self._metrics.looks.inc()
        self._looked.set()
        if self._rows.take(rows, whole=whole, anew=turns):
            self._made.clear()
            self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _message(self, after: int) -> bytes:
        span = (after, self._rows.number)
        if span not in self._made:
            if len(self._made) >= MADE_MAX:
                self._made.clear()
            self._made[span] = self._written(after)
        return self._made[span]

    def _written(self, after: int) -> bytes:
        lists: dict[str, Any] = {"pipelines": [], "jobs": [], "years": []}
        for (name, _), row in self._rows.newer(after):
            lists[name].append(row)
        more = {"newest": str(self._rows.newest), "more_live": self._more_live}
        message = {**lists, "whole": after == 0, **more}
        return json.dumps(message, separators=(",", ":")).encode()


class Hubs:
    """The hubs of a process, by the rights of their viewers; a hub ends with its last viewer."""

    def __init__(
        self, services: Services, metrics: GatewayMetrics, log: FilteringBoundLogger
    ) -> None:
        self._services = services
        self._metrics = metrics
        self._log = log
        self._hubs: dict[bytes, Hub] = {}

    @asynccontextmanager
    async def watching(
        self, caller: operations_pb2.GetCallerResponse, token: str
    ) -> AsyncIterator[Hub]:
        """The hub of a caller, whose token it is, for as long as the block runs."""
        rights = rights_of(caller) + chosen_tenant().encode()
        hub = self._hubs.get(rights)
        if hub is None:
            hub = self._hubs[rights] = Hub(self._services, self._metrics, self._log)
        hub.enter(token)
        try:
            yield hub
        finally:
            hub.leave(token)
            if not hub.viewers:
                del self._hubs[rights]
                await hub.close()


def rights_of(caller: operations_pb2.GetCallerResponse) -> bytes:
    """Equal for callers to whom the services answer the same: all but who it is and until when."""
    rights = operations_pb2.GetCallerResponse()
    rights.CopyFrom(caller)
    for name in ("name", "expires_at", "answered_at"):
        rights.ClearField(name)
    return rights.SerializeToString(deterministic=True)


def seconds_left(caller: operations_pb2.GetCallerResponse) -> float:
    """In how many seconds the token of a caller ends; infinite if it never does."""
    if not caller.HasField("expires_at"):
        return math.inf
    # Both by the clock of the scheduler.
    return (caller.expires_at.ToNanoseconds() - caller.answered_at.ToNanoseconds()) / 1e9
