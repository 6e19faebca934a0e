"""Waits until a process is ready, or ends, or its time is over."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import assert_never

import grpc.aio

from carbonline.client.channel import Credentials, Metadata, open_channel
from carbonline.local.child_process import ChildProcess
from carbonline.local.errors import LocalStackError
from carbonline.local.health import SERVING, health_of
from carbonline.local.programs import AnswersServing, LogsEvent, Readiness

LOOK_AGAIN_SECONDS = 0.05
CHECK_SECONDS_MAX = 2.0
# The log of a process cannot be written while the disk is full. One that still runs after this
# counts as ready.
SILENT_SECONDS_MAX = 10.0


async def until_ready(
    child: ChildProcess, ready: Readiness, token_file: Path | None, seconds_max: float
) -> None:
    """Returns when the child is ready.

    Raises LocalStackError, which names the log, if the child ends or takes longer.
    """
    ended = asyncio.create_task(child.exited())
    shown = asyncio.create_task(_shown(child, ready, Credentials(token_file).metadata))
    try:
        await asyncio.wait({ended, shown}, timeout=seconds_max, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            raise LocalStackError(
                f"The {child.name} ended with {ended.result()} before it was ready. "
                f"{child.where_to_read()}"
            )
        if not shown.done():
            raise LocalStackError(
                f"The {child.name} was not ready after {seconds_max:g} s. {child.where_to_read()}"
            )
        shown.result()
    finally:
        for task in (ended, shown):
            task.cancel()
        await asyncio.gather(ended, shown, return_exceptions=True)


async def _shown(child: ChildProcess, ready: Readiness, metadata: Metadata) -> None:
    match ready:
        case AnswersServing(address):
            await _serving(address, metadata)
        case LogsEvent(event):
            with suppress(TimeoutError):
                async with asyncio.timeout(SILENT_SECONDS_MAX):
                    # Files do not notify their readers of new lines.
                    while event not in child.log_beginning():  # noqa: ASYNC110
                        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        case _:
            assert_never(ready)


async def _serving(address: str, metadata: Metadata) -> None:
    async with open_channel(address, retries=False) as channel:
        while True:
            try:
                status = await health_of(channel, CHECK_SECONDS_MAX, metadata, wait_for_ready=True)
            except grpc.aio.AioRpcError as error:
                if error.code() not in (
                    grpc.StatusCode.UNAVAILABLE,
                    grpc.StatusCode.DEADLINE_EXCEEDED,
                ):
                    raise LocalStackError(
                        f"The health check of {address} failed with {error.code().name}: "
                        f"{error.details()}"
                    ) from error
            else:
                if status == SERVING:
                    return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
