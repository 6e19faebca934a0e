"""How a server ends: it says so, lets calls of its services end, and cuts what does not."""

import asyncio
from contextlib import suppress

import grpc.aio

from carbonline.serving.interceptor import Interceptor

TOLD_SECONDS = 0.1
STOP_SECONDS = 2.0


async def drain(server: grpc.aio.Server, interceptor: Interceptor, grace_seconds: float) -> None:
    """No new calls; what our own services have begun may end within the grace.

    Streams of others, such as watches of the health, end first: they never would.
    """
    # Whoever watches the health is to hear of it before the watch ends.
    await asyncio.sleep(TOLD_SECONDS)
    interceptor.draining.set()
    # Before the stop: it closes a connection with its last stream, and a client that is just
    # sending then loses the status that it has not read. A stop that comes later asks first
    # whether the client has read all that was sent.
    with suppress(TimeoutError):
        await asyncio.wait_for(interceptor.without_strangers.wait(), STOP_SECONDS)
    stopping = asyncio.create_task(server.stop(grace_seconds + STOP_SECONDS), name="stop")
    await asyncio.wait({stopping}, timeout=grace_seconds)
    interceptor.over.set()
    await stopping
    interceptor.end()
