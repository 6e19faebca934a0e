"""Stacks whose first worker is faulty, and waiting for what the fault does to its process."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from carbonline.local.programs import Program, product_programs
from carbonline.local.settings import Addresses, StackSettings
from tests.acceptance.acceptance_run import state_of

FAULTY = Path(__file__).with_name("faulty_worker.py")
POLL_SECONDS = 0.05
SECONDS_MAX = 60.0


def with_a_faulty_worker(
    place: str | Path, action: str, marker: Path, job_type: str
) -> Callable[[StackSettings, Addresses], Sequence[Program]]:
    """The product's programs, worker-1 replaced."""
    command = (sys.executable, "-P", str(FAULTY), str(place), action, str(marker), job_type)

    def programs(settings: StackSettings, addresses: Addresses) -> Sequence[Program]:
        return [
            replace(program, command=command) if program.name == "worker-1" else program
            for program in product_programs(settings, addresses)
        ]

    return programs


async def until_stopped(pid: int) -> None:
    """Waits for the kernel to say that a process is stopped."""
    await until(lambda: state_of(pid) == "T", f"process {pid} never stopped")


async def until(happened: Callable[[], bool], otherwise: str) -> None:
    """Looks again and again; fails with `otherwise` after SECONDS_MAX."""
    try:
        async with asyncio.timeout(SECONDS_MAX):
            # Other processes set no event of ours.
            while not happened():  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(otherwise) from None
