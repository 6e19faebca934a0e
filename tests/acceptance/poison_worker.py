"""A worker process that a poison job kills, together with whatever runs beside it.

`python poison_worker.py MARKER`: the product's worker with another noop. A job whose payload says
"poison" ends the process; for the first time when four others run beside it. MARKER is a file that
says that this has happened: until then the others never end, and afterwards they succeed.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from worker_service import worker
from worker_service.__main__ import main
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run

NEIGHBOURS = 4


class Marker:
    """The file that says that a process was killed."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def is_set(self) -> bool:
        """Whether one was."""
        return self._path.exists()

    def set(self) -> None:
        """One will be, in a moment."""
        self._path.touch()


running = asyncio.Semaphore(0)


async def run_noop(run: Run) -> Outcome:
    """Kill the process, or wait to be killed by the first poison, or succeed."""
    killed_once = Marker(sys.argv[1])
    if run.job.payload.get("poison"):
        if not killed_once.is_set():
            for _ in range(NEIGHBOURS):
                await running.acquire()
            killed_once.set()
        os.kill(os.getpid(), signal.SIGKILL)
    if not killed_once.is_set():
        running.release()
        await asyncio.Event().wait()
    return Succeeded()


if __name__ == "__main__":
    worker.run_noop = run_noop  # type: ignore[assignment, attr-defined]
    sys.exit(main([]))
