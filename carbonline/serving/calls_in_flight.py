"""Bounds the calls that a server works on, by count and by bytes, before it receives them."""

import asyncio
from collections import deque
from contextvars import ContextVar
from typing import Any

from carbonline.serving.call_limits import FOREIGN_LIMITS, HEALTH_LIMITS, CallLimits
from carbonline.serving.errors import RpcError
from carbonline.serving.listening import MESSAGE_BYTES_MAX
from carbonline.serving.places import but_a_quarter

MEBIBYTE = 1024 * 1024
# A smaller answer is sent also to a caller whose bytes are used up: it says what was done.
SMALL_ANSWER_BYTES = 64 * 1024
HEALTH_CHECK = "grpc.health.v1.Health/Check"
_NO_PLACE = "too many calls of yours, your tenants or all callers are in flight; wait for them"
_CALL: ContextVar["Call"] = ContextVar("call")


class OfTenants:
    """What all callers of the same tenants have in flight."""

    __slots__ = ("bytes", "calls")

    def __init__(self) -> None:
        """Nothing is in flight."""
        self.calls = 0
        self.bytes = 0


class Share:
    """What one caller has in flight, and its calls that wait to be received, in their order."""

    __slots__ = ("bytes", "calls", "of_tenants", "tenants", "waiting")

    def __init__(self, tenants: tuple[str, ...], of_tenants: OfTenants) -> None:
        """Nothing is in flight."""
        self.tenants = tenants
        self.of_tenants = of_tenants
        self.calls = 0
        self.bytes = 0
        self.waiting: deque[tuple[Call, asyncio.Future[None]]] = deque()


class Room:
    """Calls that share a bound. One caller never takes more than half of it, nor do all callers of
    the same tenants take the last quarter.
    """

    def __init__(self, limits: CallLimits) -> None:
        """Nobody calls."""
        self._calls_max = limits.calls
        self._bytes_max = limits.mebibytes * MEBIBYTE
        self._calls = 0
        self._bytes = 0
        self._shares: dict[str, Share] = {}
        self._of_tenants: dict[tuple[str, ...], OfTenants] = {}
        # The callers of which a call waits; the one that has waited longest is first.
        self._waiting: dict[str, Share] = {}

    @property
    def calls(self) -> int:
        """The calls of all callers that are in flight."""
        return self._calls

    def is_crowded(self) -> bool:
        """Whether a call waits to be received."""
        return bool(self._waiting)

    def enter(self, caller: str, tenants: tuple[str, ...] = ()) -> "Call | None":
        """A call that begins; None if its caller, the callers of its tenants or all callers have no
        place left. Who acts for no tenant is of none.
        """
        share = self._shares.get(caller)
        if share is None:
            share = Share(tenants, self._of_tenants.get(tenants) or OfTenants())
        if (
            share.calls >= self._calls_max
            or (share.tenants and share.of_tenants.calls >= but_a_quarter(self._calls_max))
            or self._calls >= 2 * self._calls_max
        ):
            return None
        self._shares[caller] = share
        self._of_tenants[share.tenants] = share.of_tenants
        share.calls += 1
        share.of_tenants.calls += 1
        self._calls += 1
        return Call(self, caller, share)

    def has_bytes(self, share: Share, count: int) -> bool:
        """Whether a caller may hold so many bytes more."""
        of_tenants = share.of_tenants.bytes if share.tenants else 0
        return (
            share.bytes + count <= self._bytes_max
            and of_tenants + count <= but_a_quarter(self._bytes_max)
            and self._bytes + count <= 2 * self._bytes_max
        )

    def hold(self, share: Share, more: int) -> None:
        """Count so many bytes more, or fewer."""
        share.bytes += more
        share.of_tenants.bytes += more
        self._bytes += more
        if more < 0 and self._waiting:
            self._wake()

    def wait(self, caller: str, call: "Call") -> asyncio.Future[None]:
        """Done when the call may be received."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        share = self._waiting.setdefault(caller, self._shares[caller])
        share.waiting.append((call, turn))
        return turn

    def leave(self, caller: str, share: Share, count: int) -> None:
        """A call ends, and with it what it held."""
        share.calls -= 1
        share.of_tenants.calls -= 1
        self._calls -= 1
        self.hold(share, -count)
        if not share.of_tenants.calls:
            del self._of_tenants[share.tenants]
        if not share.calls:
            del self._shares[caller]
            self._waiting.pop(caller, None)

    def _wake(self) -> None:
        """Give freed bytes to calls that wait, to one of each caller in turn."""
        for caller, share in tuple(self._waiting.items()):
            while share.waiting and share.waiting[0][1].done():
                share.waiting.popleft()
            if share.waiting and self.has_bytes(share, MESSAGE_BYTES_MAX):
                call, turn = share.waiting.popleft()
                call.reserve()
                turn.set_result(None)
                # Only who was served goes behind the others.
                self._waiting[caller] = self._waiting.pop(caller)
            if not share.waiting:
                del self._waiting[caller]


class Call:
    """A call in flight. Until it is received, it holds the bytes of the largest message."""

    __slots__ = ("_bytes", "_caller", "_ended", "_room", "_share")

    def __init__(self, room: Room, caller: str, share: Share) -> None:
        """It holds no bytes yet."""
        self._room = room
        self._caller = caller
        self._share = share
        self._bytes = 0
        self._ended = False

    @property
    def caller(self) -> str:
        """Whose call it is, as `Room.enter` was told."""
        return self._caller

    @property
    def holds_bytes(self) -> bool:
        """Whether a message is reserved or received."""
        return self._bytes > 0

    def as_one_of(self, caller: str, tenants: tuple[str, ...]) -> "Call | None":
        """Ends this call, and begins one of another caller in the same room; None if there is no
        place.
        """
        self.end()
        return self._room.enter(caller, tenants)

    def may_be_received(self) -> bool:
        """Reserves a message if there is room, and no call of the same caller waits for it."""
        if self._share.waiting or not self._room.has_bytes(self._share, MESSAGE_BYTES_MAX):
            return False
        self.reserve()
        return True

    async def wait_for_bytes(self) -> None:
        """Waits until it may be received, and a message is reserved."""
        await self._room.wait(self._caller, self)

    async def until_it_may_be_received(self) -> None:
        """Reserves a message, at once or when there is room."""
        if not self.may_be_received():
            await self.wait_for_bytes()

    def reserve(self) -> None:
        """Holds a message of the largest size."""
        self._hold(MESSAGE_BYTES_MAX)

    def received(self, count: int) -> None:
        """Holds the `count` bytes of its request, and no more."""
        self._hold(count - self._bytes)

    def answered(self, count: int) -> None:
        """Holds the `count` bytes of its answer, too, until its caller has taken them.

        Raises RpcError TOO_MANY_CALLS if they are many, and those of its caller are used up. A call
        that has ended here is bounded elsewhere: what a Claim has leased must be answered.
        """
        if self._ended:
            return
        if count > SMALL_ANSWER_BYTES and not self._room.has_bytes(self._share, count):
            raise too_many_calls("your calls in flight take too much memory; read their answers")
        self._hold(count)

    def end(self, _task: object = None) -> None:
        """Gives up its place and its bytes. Nothing happens the second time."""
        if not self._ended:
            self._ended = True
            self._room.leave(self._caller, self._share, self._bytes)

    def _hold(self, more: int) -> None:
        if not self._ended:
            self._bytes += more
            self._room.hold(self._share, more)


class CallsInFlight:
    """The rooms of a server. What keeps the jobs of workers running has a room of its own, so that
    no other call costs a job its lease; so has the check of health, so that no flood of others
    makes a server look dead.
    """

    def __init__(
        self,
        limits: CallLimits,
        *,
        of_running_jobs: frozenset[str] = frozenset(),
        bounded_elsewhere: frozenset[str] = frozenset(),
    ) -> None:
        """Both are names of methods. Those that are `bounded_elsewhere` have limits of their own,
        as streams have, and count until their request is received.
        """
        self._of_running_jobs = of_running_jobs
        self._bounded_elsewhere = bounded_elsewhere
        self.receive_seconds = limits.receive_seconds
        self.running_jobs = Room(limits)
        self.health = Room(limits.within(HEALTH_LIMITS))
        self.foreign = Room(limits.within(FOREIGN_LIMITS))
        self.others = Room(limits)

    def is_bounded_elsewhere(self, method: str) -> bool:
        """Whether a method has a limit of its own."""
        return method.rpartition("/")[2] in self._bounded_elsewhere

    def room(self, method: str, *, is_foreign: bool) -> Room:
        """The room of a method, by its full name."""
        if is_foreign:
            return self.health if method.lstrip("/") == HEALTH_CHECK else self.foreign
        of_a_job = method.rpartition("/")[2] in self._of_running_jobs
        return self.running_jobs if of_a_job else self.others


async def begin(call: Call, *, receives: bool) -> None:
    """Let the task that this runs in be the call, and end the call with it.

    If it `receives` its request next, this waits until there is room for that.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a call is a task")
    task.add_done_callback(call.end)
    _CALL.set(call)
    if receives:
        await call.until_it_may_be_received()


async def count_for(caller: str, tenants: tuple[str, ...]) -> None:
    """Let the call of this task be one of `caller`, whom its connection alone has made known: who
    has no token has begun it as one of nobody's. Raises RpcError TOO_MANY_CALLS.
    """
    call = call_of_this_task()
    if call is None or call.caller == caller:
        return
    receives = call.holds_bytes
    own = call.as_one_of(caller, tenants)
    if own is None:
        raise too_many_calls(_NO_PLACE)
    await begin(own, receives=receives)


async def refuse(_requests: Any, _context: Any) -> Any:
    """The behaviour of a method for a call without a place. Raises RpcError TOO_MANY_CALLS."""
    raise too_many_calls(_NO_PLACE)


def call_of_this_task() -> Call | None:
    """The call that `begin` was told of."""
    return _CALL.get(None)


def too_many_calls(why: str) -> RpcError:
    """The error for a caller without room."""
    return RpcError("TOO_MANY_CALLS", f"{why}, and call again after the pause in RetryInfo")
