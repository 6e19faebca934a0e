"""Processes of the product whose standard error a test reads, line by line."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

SECONDS_MAX = 60.0
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "scheduler": ("-m", "scheduler_service"),
    "ledger": ("-m", "worker_service", "ledger"),
    "worker": ("-m", "worker_service"),
}
Line = Mapping[str, Any]


@asynccontextmanager
async def process(
    *arguments: str, program: str | Path = sys.executable, **settings: str
) -> AsyncIterator[Process]:
    """A Python program with these settings and no other of ours; killed at the end."""
    environment = {
        **{name: value for name, value in os.environ.items() if "CARBONLINE" not in name},
        **{f"CARBONLINE_{name}": value for name, value in settings.items()},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    started = await asyncio.create_subprocess_exec(
        program, *arguments, env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


def settings_of(database_url: str, folder: Path) -> dict[str, str]:
    """What each of PROGRAMS needs, side by side below a folder."""
    return {
        "DATABASE_URL": database_url,
        "SCHEDULER_ADDRESS": f"unix:{folder}/s",
        "LEDGER_ADDRESS": f"unix:{folder}/l",
        "BLOB_FOLDER": f"{folder}/blobs",
        "DRAIN_GRACE_SECONDS": "1",
    }


async def line_like(running: Process, wanted: Callable[[Line], bool]) -> Line:
    """The next line that is as wanted; ValueError when one before it is not JSON."""
    assert running.stderr is not None
    async with asyncio.timeout(SECONDS_MAX):
        while raw := await running.stderr.readline():
            line: Line = json.loads(raw)
            if wanted(line):
                return line
    raise AssertionError("it ended before")


async def lines_to_the_end(running: Process) -> list[Line]:
    """What a process still says once it is told to stop; ValueError for a line that is not JSON.

    Nothing of it may be on its standard output.
    """
    running.send_signal(signal.SIGTERM)
    printed, said = await asyncio.wait_for(running.communicate(), SECONDS_MAX)
    assert printed == b""
    return [json.loads(line) for line in said.splitlines()]
