"""Reports processes that end by themselves, and restarts them with growing pauses."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

from carbonline.local.child_process import ChildProcess
from carbonline.local.errors import LocalStackError

FIRST_PAUSE_SECONDS = 0.2
# What runs again only after longer than this keeps others waiting for more than a lease.
PAUSE_SECONDS_MAX = 4.0
# After running for this long, the next failure counts as the first.
STEADY_SECONDS = 10.0
# While the disk is full.
LOOK_SECONDS = 0.5

Report: TypeAlias = Callable[[str], None]


async def report_end(child: ChildProcess, report: Report) -> None:
    """Reports the end of a child, once. Runs until then, or until it is cancelled."""
    code = await child.exited()
    report(f"The {child.name} ended with {code}. See {child.log_file}.")


async def keep_running(
    child: ChildProcess,
    start_again: Callable[[], Awaitable[None]],
    report: Report,
    has_room: Callable[[], bool] = lambda: True,
    *,
    may_end: bool = False,
) -> None:
    """Restarts a child whenever it ends, after a pause, and reports it. Runs until cancelled, or
    until a child that `may_end` has done so in order: somebody told it to.

    While the disk is full, it waits for `has_room` instead: a start would fail, and once there is
    room, nobody shall wait for the rest of a pause.
    """
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE_SECONDS
    while True:
        since = loop.time()
        code = await child.exited()
        if may_end and code == 0:
            report(f"The {child.name} has ended in order, as it was told to. It stays ended.")
            return
        if loop.time() - since >= STEADY_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        if has_room():
            report(f"The {child.name} ended with {code}. Restarting it. See {child.log_file}.")
            # Jitter, so that processes that ended together do not restart in step.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause = min(pause * 2, PAUSE_SECONDS_MAX)
        else:
            report(
                f"The {child.name} ended with {code}, and the disk of the data folder is full."
                " It starts again as soon as there is room."
            )
            await _room(has_room)
            pause = FIRST_PAUSE_SECONDS
        try:
            await start_again()
        except (LocalStackError, OSError) as error:
            report(str(error))


async def _room(has_room: Callable[[], bool]) -> None:
    """Waits for room, but not for ever: a process may come by with less."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PAUSE_SECONDS_MAX):
            # A disk does not tell when somebody has made room.
            while not has_room():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)


def never_raising(report: Report) -> Report:
    """The same report; where its reader is gone or the disk is full, it is lost."""

    def reported(sentence: str) -> None:
        with suppress(OSError, ValueError):
            report(sentence)

    return reported
