"""A room of calls in flight: its places, its bytes, and who waits for them."""

import asyncio

import pytest

from carbonline.serving.call_limits import CallLimits
from carbonline.serving.calls_in_flight import (
    MEBIBYTE,
    SMALL_ANSWER_BYTES,
    Call,
    CallsInFlight,
    Room,
)
from carbonline.serving.errors import RpcError
from carbonline.serving.listening import MESSAGE_BYTES_MAX

LIMITS = CallLimits(calls=3, mebibytes=2 * MESSAGE_BYTES_MAX // MEBIBYTE + 1)


def entered(room: Room, caller: str) -> Call:
    call = room.enter(caller)
    assert call is not None
    return call


def receiving(room: Room, caller: str) -> Call:
    call = entered(room, caller)
    assert call.may_be_received()
    return call


def test_one_caller_never_takes_more_than_half_of_the_places() -> None:
    room = Room(LIMITS)
    mine = [entered(room, "a") for _ in range(3)]
    assert room.enter("a") is None
    for caller in "bbc":
        entered(room, caller)
    assert room.enter("d") is None
    mine[0].end()
    mine[0].end()
    assert room.calls == 5
    entered(room, "d")
    assert room.enter("a") is None


def test_the_callers_of_one_tenant_leave_a_quarter_of_places_and_bytes_to_others() -> None:
    room = Room(CallLimits(calls=4, mebibytes=4 * MESSAGE_BYTES_MAX // MEBIBYTE))
    calls = [room.enter(caller, ("north",)) for caller in "aaaabbb"]
    received = [call is not None and call.may_be_received() for call in calls]
    assert received == [True] * 6 + [False]
    south = room.enter("s", ("south",))
    assert south is not None
    assert south.may_be_received()
    first = calls[0]
    assert first is not None
    first.end()
    again = room.enter("b", ("north",))
    assert again is not None
    assert again.may_be_received()
    assert room.enter("c", ("north",)) is None


async def test_calls_wait_for_the_bytes_of_their_caller_in_their_order() -> None:
    room = Room(LIMITS)
    first, _second = receiving(room, "a"), receiving(room, "a")
    third = entered(room, "a")
    assert not third.may_be_received()
    turn = asyncio.ensure_future(third.wait_for_bytes())
    await asyncio.sleep(0)
    # Another caller has bytes of its own.
    receiving(room, "b")
    first.received(10)
    await turn
    first.end()
    fourth = entered(room, "a")
    assert not fourth.may_be_received()


async def test_who_hangs_up_while_it_waits_keeps_nobody_waiting() -> None:
    room = Room(LIMITS)
    first, _second = receiving(room, "a"), receiving(room, "a")
    hung_up = entered(room, "a")
    left = asyncio.ensure_future(hung_up.wait_for_bytes())
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait([left])
    hung_up.end()
    patient = entered(room, "a")
    turn = asyncio.ensure_future(patient.wait_for_bytes())
    await asyncio.sleep(0)
    first.end()
    await turn
    assert not entered(room, "a").may_be_received()


def test_large_answers_that_nobody_reads_are_not_kept_and_small_ones_are() -> None:
    room = Room(LIMITS)
    calls = [receiving(room, "a") for _ in range(2)]
    for call in calls:
        call.received(SMALL_ANSWER_BYTES)
    calls[0].answered(MESSAGE_BYTES_MAX + MEBIBYTE)
    with pytest.raises(RpcError) as refused:
        calls[1].answered(MESSAGE_BYTES_MAX)
    assert refused.value.reason == "TOO_MANY_CALLS"
    calls[1].answered(SMALL_ANSWER_BYTES)
    calls[0].end()
    calls[1].answered(MESSAGE_BYTES_MAX)


def test_running_jobs_and_health_have_rooms_of_their_own() -> None:
    calls = CallsInFlight(LIMITS, of_running_jobs=frozenset({"Finish"}))
    rooms = [
        calls.room("/carbonline.v1.SchedulerService/Finish", is_foreign=False),
        calls.room("/carbonline.v1.SchedulerService/Submit", is_foreign=False),
        calls.room("/grpc.health.v1.Health/Check", is_foreign=True),
        # What anybody may keep open.
        calls.room("/grpc.health.v1.Health/Watch", is_foreign=True),
    ]
    assert rooms == [calls.running_jobs, calls.others, calls.health, calls.foreign]
    assert len(set(map(id, rooms))) == len(rooms)


async def test_bytes_go_to_each_caller_in_turn_however_often_another_comes() -> None:
    room = Room(CallLimits(calls=20, mebibytes=3 * MESSAGE_BYTES_MAX // MEBIBYTE))
    full = [receiving(room, caller) for caller in "cccdd"]
    turns: list[tuple[str, asyncio.Future[None]]] = []

    def wait(caller: str) -> None:
        turn = asyncio.ensure_future(entered(room, caller).wait_for_bytes())
        turns.append((caller, turn))

    last = receiving(room, "a")
    for caller in "abab":
        wait(caller)
    await asyncio.sleep(0)
    for call in (*full[3:], last):
        # The first of them comes again and again.
        wait("a")
        await asyncio.sleep(0)
        call.end()
        await asyncio.sleep(0)
    served = [caller for caller, turn in turns if turn.done()]
    assert sorted(served) == ["a", "a", "b"]
    for _, turn in turns:
        turn.cancel()


def test_a_call_that_ended_when_it_was_received_is_answered_whatever_its_caller_holds() -> None:
    room = Room(LIMITS)
    claim = receiving(room, "a")
    claim.received(10)
    for _ in range(2):
        receiving(room, "a")
    claim.end()
    claim.answered(MESSAGE_BYTES_MAX)
    with pytest.raises(RpcError):
        entered(room, "a").answered(MESSAGE_BYTES_MAX)
