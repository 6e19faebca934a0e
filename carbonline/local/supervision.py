"""Tells of what ended by itself, and starts it again with growing pauses."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from carbonline.local.child_process import ChildProcess
from carbonline.local.errors import LocalStackError

FIRST_PAUSE_SECONDS = 0.2
PAUSE_SECONDS_MAX = 30.0
# What ran for so long did not fail at once; its next failure is a new one.
STEADY_SECONDS = 60.0

Report: TypeAlias = Callable[[str], None]


async def report_end(child: ChildProcess, report: Report) -> None:
    """Until cancelled: wait for the child's end and say so, once."""
    code = await child.exited()
    report(f"The {child.name} ended with {code}. See {child.log_file}.")


async def keep_running(
    child: ChildProcess, start_again: Callable[[], Awaitable[None]], report: Report
) -> None:
    """Until cancelled: wait for the child's end, pause, start it again; say so to `report`."""
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE_SECONDS
    while True:
        since = loop.time()
        code = await child.exited()
        if loop.time() - since >= STEADY_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        report(f"The {child.name} ended with {code}; it is started again. See {child.log_file}.")
        # Spread, so that several that fell together do not come back in step.
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        pause = min(pause * 2, PAUSE_SECONDS_MAX)
        try:
            await start_again()
        except LocalStackError as error:
            report(str(error))
