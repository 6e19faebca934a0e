"""What is broken, and when: planned from a seed, then done one after the other."""

import asyncio
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from carbonline.local.child_process import ChildProcess
from carbonline.local.errors import LocalStackError
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.local.stack import POSTGRES, Stack

# The first faults hit a stack on which something runs.
FIRST_SECONDS = 3.0
PAUSE_SECONDS_MAX = 3.0
# Past a lease of five seconds, or not.
STOPPED_SECONDS_MAX = 8.0
OUTAGE_SECONDS_MAX = 60.0
# Of the time that the ledger is unavailable, and when that begins.
OUTAGE_SHARE = 0.2
OUTAGE_BEGINS = 0.4
LEDGER_DATABASE = "ledger database"
LEDGERS = frozenset({"ledger", "ledger-2"})
STAND_IN = "worker-1"


class Kind(StrEnum):
    """KILL: kill -9. STOP: frozen for a while. RESTART: in order. OUTAGE: killed, and away."""

    KILL = "kill -9"
    STOP = "stop"
    RESTART = "restart"
    OUTAGE = "outage"


@dataclass(frozen=True)
class Fault:
    """What happens to which process, when, and for how long, from the start of the plan."""

    at_seconds: float
    kind: Kind
    name: str
    seconds: float = 0.0

    def __str__(self) -> str:
        lasts = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at_seconds:5.1f} s: {self.kind} {self.name}{lasts}"


def plan(seed: int, seconds: float, names: Sequence[str]) -> Sequence[Fault]:
    """The faults of `seconds`: the same ones for the same arguments.

    Every kind comes early, on a scheduler and on a worker. The ledger's database is unavailable
    once, for a fifth of the time or a minute. Ledger processes are left alone then: they cannot
    start.
    """
    randomly = random.Random(seed)
    away = Fault(
        OUTAGE_BEGINS * seconds,
        Kind.OUTAGE,
        LEDGER_DATABASE,
        min(OUTAGE_SHARE * seconds, OUTAGE_SECONDS_MAX),
    )
    faults, at = [away], FIRST_SECONDS
    ahead = [(kind, name) for kind in _ORDINARY for name in names if name.endswith("-2")]
    randomly.shuffle(ahead)
    while at < seconds:
        kind, name = ahead.pop() if ahead else _any(randomly, names)
        lasts = randomly.uniform(0, STOPPED_SECONDS_MAX) if kind is Kind.STOP else 0.0
        if name in LEDGERS and at > away.at_seconds - STOPPED_SECONDS_MAX:
            name = name if at > away.at_seconds + away.seconds + STOPPED_SECONDS_MAX else STAND_IN
        faults.append(Fault(at, kind, name, lasts))
        at += lasts + randomly.uniform(0, PAUSE_SECONDS_MAX)
    return sorted(faults, key=lambda fault: fault.at_seconds)


_ORDINARY = (Kind.KILL, Kind.STOP, Kind.RESTART)


def _any(randomly: random.Random, names: Sequence[str]) -> tuple[Kind, str]:
    name = randomly.choice(names)
    # To stop PostgreSQL's first process stops none of its sessions.
    kinds = (Kind.KILL, Kind.RESTART) if name == POSTGRES else (Kind.KILL, *_ORDINARY)
    return randomly.choice(kinds), name


@dataclass
class Faults:
    """Does a plan to a stack that restarts what ends.

    `done` says what has hit a process that ran, and `first_at` when it first did, by the event
    loop's clock. What has ended, and is not there again yet, cannot be hit.
    """

    stack: Stack
    ledger_database: EmbeddedPostgres
    done: list[Fault] = field(default_factory=list)
    first_at: float | None = None
    # Set while a ledger process could start.
    ledger_starts: asyncio.Event = field(default_factory=asyncio.Event)

    async def happen(self, planned: Sequence[Fault]) -> None:
        """Each at its time, or as soon as the one before is over. In the end everything may run."""
        away = [fault for fault in planned if fault.kind is Kind.OUTAGE]
        others = [fault for fault in planned if fault.kind is not Kind.OUTAGE]
        self.ledger_starts.set()
        await asyncio.gather(self._one_by_one(away), self._one_by_one(others))

    async def _one_by_one(self, planned: Sequence[Fault]) -> None:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        for fault in planned:
            await asyncio.sleep(began_at + fault.at_seconds - loop.time())
            # A plan falls behind on a busy machine, into the outage perhaps.
            if fault.name in LEDGERS:
                await self.ledger_starts.wait()
            is_hit = self._child(fault).running
            if is_hit and self.first_at is None:
                self.first_at = loop.time()
            await self._do(fault)
            if is_hit:
                self.done.append(fault)

    def _child(self, fault: Fault) -> ChildProcess:
        is_outage = fault.kind is Kind.OUTAGE
        return self.ledger_database.child if is_outage else self.stack.child(fault.name)

    async def _restart(self, name: str) -> None:
        """In order, again and again while a job that kills its worker was claimed so soon that the
        worker ended before it was seen ready. Nobody else starts it meanwhile.
        """
        while True:
            try:
                await self.stack.restart(name)
            except LocalStackError as error:
                if f"ended with {-signal.SIGKILL} before it was ready" not in str(error):
                    raise
            else:
                return

    async def _do(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL:
                self.stack.kill(fault.name)
            case Kind.RESTART:
                await self._restart(fault.name)
            case Kind.STOP:
                # Unlike os.kill, it sends nothing to a process that has ended, whose number may be
                # another one's by now.
                child = self._child(fault)
                child.send(signal.SIGSTOP)
                await asyncio.sleep(fault.seconds)
                child.send(signal.SIGCONT)
            case Kind.OUTAGE:
                self.ledger_starts.clear()
                self.ledger_database.child.kill()
                await asyncio.sleep(fault.seconds)
                await self.ledger_database.start()
                self.ledger_starts.set()
