"""One fault after the other: killed, stopped for a while, told to end; then started again."""

import asyncio
import os
import random
import signal
from dataclasses import dataclass, field

from carbonline.local.stack import Stack
from tests.acceptance.acceptance_run import state_of
from tests.acceptance.faults import until_stopped

PAUSE_SECONDS_MAX = 2.0
# Past a lease of five seconds, or not.
STOPPED_SECONDS_MAX = 8.0


@dataclass(frozen=True)
class Fault:
    """What was done to which process; it began by the event loop's clock, and took so long."""

    kind: str
    name: str
    began_at: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.seconds:.1f} s)"


@dataclass
class Faults:
    """`done` says what happened, for whoever has to understand a failure."""

    stack: Stack
    random: random.Random
    done: list[Fault] = field(default_factory=list)
    over: bool = False

    async def happen(self) -> None:
        """One of each kind first, in any order, and then on and on until `over`.

        When it ends, everything runs again.
        """
        kinds = [self._kill, self._stop_for_a_while, self._end_in_order]
        ahead = self.random.sample(kinds, len(kinds))
        while ahead or not self.over:
            await asyncio.sleep(self.random.uniform(0, PAUSE_SECONDS_MAX))
            await (ahead.pop() if ahead else self.random.choice([self._kill, *kinds]))()

    async def _kill(self) -> None:
        name, began_at = self.random.choice(self.stack.names), _now()
        self.stack.kill(name)
        assert await self.stack.child(name).exited() == -signal.SIGKILL
        await self.stack.start(name)
        self._happened("kill -9", name, began_at)

    async def _end_in_order(self) -> None:
        name, began_at = self.random.choice(self.stack.names), _now()
        before = self.stack.pid(name)
        await self.stack.restart(name)
        assert self.stack.pid(name) != before
        self._happened("restart", name, began_at)

    async def _stop_for_a_while(self) -> None:
        workers = [name for name in self.stack.names if name.startswith("worker-")]
        name, began_at = self.random.choice(workers), _now()
        pid = self.stack.pid(name)
        os.kill(pid, signal.SIGSTOP)
        await until_stopped(pid)
        await asyncio.sleep(self.random.uniform(0, STOPPED_SECONDS_MAX))
        assert state_of(pid) == "T"
        os.kill(pid, signal.SIGCONT)
        self._happened("stop", name, began_at)

    def _happened(self, kind: str, name: str, began_at: float) -> None:
        self.done.append(Fault(kind, name, began_at, _now() - began_at))


def _now() -> float:
    return asyncio.get_running_loop().time()
