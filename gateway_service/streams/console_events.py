"""GET /v1/events: what the console follows, as server-sent events.

`hello` {server_time, build} comes first, then `update` {pipelines, jobs, years, whole, newest,
more_live}: rows as the contract's JSON, all of them (`whole`) and then those that have changed.
`newest` is the greatest number of a pipeline that was known then: a lower one that was live and
that a whole does not name has ended, unless `more_live` says that more than a whole names may be:
ask for the active pipelines of a year. `alive` {} comes after ten seconds of silence. The answer
ends when the services do not answer, with the token, or after an hour; the browser comes back and
is sent all rows again.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from gateway_service.access.caller import token_of
from gateway_service.access.limits import StreamLimits
from gateway_service.services import Services
from gateway_service.streams.hub import Hubs, seconds_left
from gateway_service.streams.sse import EventStream, event
from gateway_service.transcode.problems import Problem

# The console takes a stream that is silent for twice as long and more for dead (stream.js).
KEEPALIVE_SECONDS = 10.0
# No comment: browsers tell pages of events alone.
ALIVE = event("alive", b"{}")
AGE_SECONDS_MAX = 3600.0


class ConsoleEvents:
    """The streams of this process."""

    def __init__(
        self,
        services: Services,
        hubs: Hubs,
        limits: StreamLimits,
        draining: asyncio.Event,
        build_id: str,
    ) -> None:
        self._services = services
        self._hubs = hubs
        self._limits = limits
        self._draining = draining
        self._build_id = build_id

    async def serve(self, request: Request) -> Response:
        """Answers one request. Raises Problem before the first byte."""
        source = self._source(request)
        # A refusal is an answer of its own, so nothing is sent before the first rows.
        first = await anext(source)
        return EventStream(_all(first, source), self._draining)

    async def _source(self, request: Request) -> AsyncGenerator[bytes]:
        until = time.monotonic() + AGE_SECONDS_MAX * random.uniform(0.9, 1.0)  # noqa: S311
        token = token_of(request)
        caller = await self._services.caller(token)
        until = min(until, time.monotonic() + seconds_left(caller))
        place = self._limits.open(caller, request)
        try:
            async with self._hubs.watching(caller, token) as hub:
                number, rows = await hub.first()
                yield self._hello() + event("update", rows)
                while time.monotonic() < until:
                    wait = min(KEEPALIVE_SECONDS, max(0.0, until - time.monotonic()))
                    number, rows = await hub.after(number, wait)
                    yield event("update", rows) if rows else ALIVE
        finally:
            self._limits.close(place)

    def _hello(self) -> bytes:
        hello = {"server_time": datetime.now(UTC).isoformat(), "build": self._build_id}
        return event("hello", json.dumps(hello).encode())


async def _all(first: bytes, source: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    try:
        yield first
        async for piece in source:
            yield piece
    except Problem:
        # The services do not answer any more: whoever comes back is told so.
        return
    finally:
        await source.aclose()
