"""Ends a server in order: no new calls, time for those in flight, then a cut."""

import asyncio
from contextlib import suppress

import grpc.aio

from carbonline.serving.interceptor import Interceptor

# Between NOT_SERVING on a watch of the health and the end of that watch.
NOTICE_SECONDS = 0.1
STOP_SECONDS = 2.0


async def drain(server: grpc.aio.Server, interceptor: Interceptor, grace_seconds: float) -> None:
    """Refuse new calls, and let calls of carbonline's services end within `grace_seconds`.

    Streams of other services, such as a watch of the health, end first: they never would.
    """
    await asyncio.sleep(NOTICE_SECONDS)
    interceptor.draining.set()
    # Before the stop: it closes a connection with its last stream, and a client that is just
    # sending then loses the status that it has not read. A stop that comes later asks first
    # whether the client has read all that was sent.
    with suppress(TimeoutError):
        await asyncio.wait_for(interceptor.without_foreign_calls.wait(), STOP_SECONDS)
    stopping = asyncio.create_task(server.stop(grace_seconds + STOP_SECONDS), name="stop")
    await asyncio.wait({stopping}, timeout=grace_seconds)
    interceptor.over.set()
    await asyncio.gather(stopping, interceptor.end_calls())
    interceptor.end()
