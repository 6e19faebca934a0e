"""A fault is done only if it hit a process that ran."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from carbonline.local.child_process import ChildProcess
from carbonline.local.errors import LocalStackError
from tests.shake.faults import Fault, Faults, Kind

COMMAND = (sys.executable, "-c", "import signal; signal.pause()")
NAME = "worker-1"


class StackOfOne:
    """One process, and what faults ask of a stack."""

    def __init__(self, folder: Path) -> None:
        self._child = ChildProcess(NAME, COMMAND, {}, folder / "log")

    def child(self, name: str) -> ChildProcess:
        """The only one."""
        assert name == NAME
        return self._child

    def kill(self, name: str) -> None:
        """As that of the stack."""
        self.child(name).kill()

    async def restart(self, name: str) -> None:
        """As that of the stack, but what has ended stays so."""
        if self.child(name).running:
            self.kill(name)
            self.child(name).start()


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[StackOfOne]:
    one = StackOfOne(tmp_path)
    one.child(NAME).start()
    try:
        yield one
    finally:
        one.kill(NAME)


@pytest.mark.parametrize("kind", [Kind.KILL, Kind.STOP, Kind.RESTART])
async def test_a_fault_is_done_only_if_it_hit_a_process_that_ran(
    stack: StackOfOne, kind: Kind
) -> None:
    faults = Faults(cast(Any, stack), cast(Any, None))
    fault = Fault(0.0, kind, NAME)
    await faults.happen([fault])
    assert faults.done == [fault]
    first_at = faults.first_at
    assert first_at is not None
    assert first_at <= asyncio.get_running_loop().time()
    stack.kill(NAME)
    await faults.happen([fault])
    assert (faults.done, faults.first_at) == ([fault], first_at)


async def test_a_worker_that_a_job_kills_before_it_is_seen_ready_is_started_again(
    stack: StackOfOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = iter(["ended with -9 before it was ready", "ended with -9 before it was ready"])

    async def restart(name: str) -> None:
        if word := next(words, ""):
            raise LocalStackError(f"The {name} {word}. Its log says why.")

    monkeypatch.setattr(stack, "restart", restart)
    faults = Faults(cast(Any, stack), cast(Any, None))
    await faults.happen([Fault(0.0, Kind.RESTART, NAME)])
    assert len(faults.done) == 1
    words = iter(["ended with 1 before it was ready"])
    with pytest.raises(LocalStackError, match="ended with 1 "):
        await faults.happen([Fault(0.0, Kind.RESTART, NAME)])
