"""A stream that is followed over its breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import grpc
import grpc.aio
import pytest

from carbonline.client.errors import Unreachable
from carbonline.client.lasting_stream import Broken, lasting_stream
from carbonline.client.no_answer import Server

PATIENCE_SECONDS = 2.0
Stream = Callable[[], AsyncIterator[str]]


def lost() -> grpc.aio.AioRpcError:
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, "gone")


async def down() -> AsyncIterator[str]:
    for message in list[str]():
        yield message
    raise lost()


async def one_message_then_quiet() -> AsyncIterator[str]:
    yield "first"
    # Longer than anybody waits for a server that does not answer.
    await asyncio.sleep(PATIENCE_SECONDS + 0.1)
    raise lost()


async def one_message() -> AsyncIterator[str]:
    yield "again"


def opening(streams: Iterator[Stream]) -> Stream:
    def open_next() -> AsyncIterator[str]:
        stream = next(streams)
        return stream()

    return open_next


async def test_patience_begins_anew_when_a_stream_that_was_quiet_for_long_breaks() -> None:
    streams: list[Stream] = [one_message_then_quiet, down, one_message]
    said: list[str | Broken] = []
    messages = lasting_stream(opening(iter(streams)), Server("scheduler", "s"), PATIENCE_SECONDS)
    async for message in messages:
        said.append(message)
        if message == "again":
            break
    await messages.aclose()
    assert [one if isinstance(one, str) else "broken" for one in said] == [
        "first",
        "broken",
        "broken",
        "again",
    ]


async def test_without_any_answer_patience_ends() -> None:
    messages = lasting_stream(down, Server("scheduler", "s"), 0.0)
    with pytest.raises(Unreachable):
        await anext(messages)
