"""A watch of a tenant's pipelines that outlives its connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from random import uniform
from typing import TypeAlias

import grpc.aio

from carbonline.client.errors import ServerError, Unreachable, server_error
from carbonline.client.no_answer import Server, no_answer
from carbonline.client.watch import (
    PAUSE_SECONDS_FIRST,
    PAUSE_SECONDS_MAX,
    RESUMABLE,
    ROUTINE,
    SILENCE_SECONDS_MAX,
    Interrupted,
)
from carbonline.v1 import scheduler_pb2

OpenList: TypeAlias = Callable[[], AsyncIterator[scheduler_pb2.WatchPipelinesResponse]]


async def pipeline_rows(
    open_stream: OpenList, server: Server, patience_seconds: float
) -> AsyncIterator[scheduler_pb2.PipelineRows | Interrupted]:
    """Yields rows for as long as it is read, over as many streams as it takes. The first rows of
    each stream say `first`: they replace all before.

    Raises ServerError if the watch is refused, or if no server answers for `patience_seconds`.
    """
    pause_seconds = PAUSE_SECONDS_FIRST
    loop = asyncio.get_running_loop()
    patient_until = loop.time() + patience_seconds
    while True:
        answered = False
        try:
            async for rows in _one_stream(open_stream(), server):
                answered = True
                pause_seconds = PAUSE_SECONDS_FIRST
                patient_until = loop.time() + patience_seconds
                yield rows
            reason, is_routine = "the stream ended", False
        except ServerError as error:
            if error.code not in RESUMABLE or error.too_large:
                raise
            if not answered and loop.time() >= patient_until:
                raise
            reason = error.message or error.code
            is_routine = error.reason in ROUTINE
        if not is_routine:
            yield Interrupted(0, reason)
        await asyncio.sleep(pause_seconds * uniform(0.5, 1.0))  # noqa: S311  spreads load only
        pause_seconds = min(PAUSE_SECONDS_MAX, 2 * pause_seconds)


async def _one_stream(
    stream: AsyncIterator[scheduler_pb2.WatchPipelinesResponse], server: Server
) -> AsyncIterator[scheduler_pb2.PipelineRows]:
    messages = aiter(stream)
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS_MAX):
                message = await anext(messages)
        except StopAsyncIteration:
            return
        except TimeoutError:
            silent = no_answer(server, "", SILENCE_SECONDS_MAX)
            raise Unreachable("UNAVAILABLE", "", silent, {}, {}, server) from None
        except grpc.aio.AioRpcError as error:
            raise server_error(error, server) from None
        if message.HasField("rows"):
            yield message.rows
