"""One look serves all who watch: rows are states, so who is slow gets the newest of each.

A hub looks once a second, for as long as somebody watches. It keeps each row with the number of
the look that changed it. A viewer remembers the last number that it was sent, and takes what is
newer: nothing is queued for a slow reader, and the bytes of a message are made once for all who are
equally far.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from structlog.typing import FilteringBoundLogger

from gateway_service.metrics import GatewayMetrics
from gateway_service.services import Services
from gateway_service.streams.look import Key, Row, Seen, look
from gateway_service.transcode.problems import Problem

LOOK_SECONDS = 1.0
# Rows that a hub keeps; the oldest changes go first, and pages ask for those themselves.
ROWS_MAX = 5_000
MADE_MAX = 8


class Hub:
    """The rows that callers with one token may see."""

    def __init__(
        self, services: Services, token: str, metrics: GatewayMetrics, log: FilteringBoundLogger
    ) -> None:
        self._services = services
        self._token = token
        self._metrics = metrics
        self._log = log
        self._seen = Seen()
        self._rows: dict[Key, Row] = {}
        self._changed: dict[Key, int] = {}
        self._made: dict[tuple[int, int], bytes] = {}
        self._number = 0
        self._problem: Problem | None = None
        self._news = asyncio.Event()
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.viewers = 0

    async def first(self) -> tuple[int, bytes]:
        """The number of the newest look, and everything there is. Raises Problem."""
        if self._task is None or self._task.done():
            self._problem = None
            self._looked.clear()
            self._task = asyncio.create_task(self._look_on(), name="hub")
        await self._looked.wait()
        if self._problem is not None:
            raise self._problem
        return self._number, self._message(0)

    async def after(self, number: int, seconds: float) -> tuple[int, bytes]:
        """What is newer than a number, as soon as there is something; empty after `seconds`.

        Raises Problem once the services do not answer any more.
        """
        try:
            async with asyncio.timeout(seconds):
                while self._number <= number and self._problem is None:
                    await self._news.wait()
        except TimeoutError:
            return number, b""
        if self._problem is not None:
            raise self._problem
        return self._number, self._message(number)

    async def close(self) -> None:
        """Ends the looks."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _look_on(self) -> None:
        try:
            while True:
                self._take(await look(self._services, self._token, self._seen))
                self._metrics.looks.inc()
                self._looked.set()
                await asyncio.sleep(LOOK_SECONDS)
        except Problem as problem:
            self._problem = problem
        except Exception as error:  # noqa: BLE001 - viewers are told, and come back
            self._log.error("look_failed", exc_info=error)
            self._problem = Problem(503, "LOOK_FAILED", "The gateway failed to look.")
        finally:
            self._looked.set()
            self._wake()

    def _take(self, rows: Mapping[Key, Row]) -> None:
        news = {key: row for key, row in rows.items() if self._rows.get(key) != row}
        if not news and self._number:
            return
        self._number += 1
        self._made.clear()
        for key, row in news.items():
            # The newest change stands last.
            self._rows.pop(key, None)
            self._changed.pop(key, None)
            self._rows[key] = row
            self._changed[key] = self._number
        for key in list(self._rows)[: max(0, len(self._rows) - ROWS_MAX)]:
            del self._rows[key], self._changed[key]
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _message(self, after: int) -> bytes:
        span = (after, self._number)
        if span not in self._made:
            if len(self._made) >= MADE_MAX:
                self._made.clear()
            self._made[span] = self._written(after)
        return self._made[span]

    def _written(self, after: int) -> bytes:
        lists: dict[str, Any] = {"pipelines": [], "jobs": [], "years": []}
        for (name, _), row in self._newer(after):
            lists[name].append(row)
        return json.dumps({**lists, "whole": after == 0}, separators=(",", ":")).encode()

    def _newer(self, after: int) -> list[tuple[Key, Row]]:
        found = []
        for key in reversed(self._rows):
            if self._changed[key] <= after:
                break
            found.append((key, self._rows[key]))
        return found[::-1]


class Hubs:
    """The hubs of a process, by the token of their viewers; a hub ends with its last viewer."""

    def __init__(
        self, services: Services, metrics: GatewayMetrics, log: FilteringBoundLogger
    ) -> None:
        self._services = services
        self._metrics = metrics
        self._log = log
        self._hubs: dict[str, Hub] = {}

    @asynccontextmanager
    async def watching(self, token: str) -> AsyncIterator[Hub]:
        """The hub of a token, for as long as the block runs."""
        hub = self._hubs.get(token)
        if hub is None:
            hub = self._hubs[token] = Hub(self._services, token, self._metrics, self._log)
        hub.viewers += 1
        try:
            yield hub
        finally:
            hub.viewers -= 1
            if not hub.viewers:
                del self._hubs[token]
                await hub.close()
