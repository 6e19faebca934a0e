"""Owners that a test may kill, and the end of processes that are not the test's children."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[3]
ENDS_SECONDS_MAX = 30.0
STARTS_SECONDS_MAX = 60.0


@asynccontextmanager
async def owned(program: str, folder: Path) -> AsyncIterator[tuple[Process, list[int]]]:
    """Run a program that owns processes and prints their ids on one line."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": path}
    command = (sys.executable, "-c", program, str(folder))
    owner = await asyncio.create_subprocess_exec(*command, stdout=PIPE, env=environment)
    try:
        assert owner.stdout is not None
        line = await asyncio.wait_for(owner.stdout.readline(), STARTS_SECONDS_MAX)
        yield owner, [int(word) for word in line.split()]
    finally:
        with suppress(ProcessLookupError):
            owner.kill()
        await owner.communicate()


async def end_of(pid: int) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), ENDS_SECONDS_MAX)
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
