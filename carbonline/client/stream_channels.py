"""Channels for streams, of which a connection carries so many and no more.

A server allows a number of calls on each connection. Whoever makes one more waits in silence until
another one ends, and streams end late: a thousand watchers would hold up every other call.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc.aio

# Fewer than a server allows on one connection.
STREAMS_OF_A_CONNECTION = 900


class StreamChannels:
    """Opens channels as they are needed, each with a connection of its own."""

    def __init__(
        self, opened: Callable[[], grpc.aio.Channel], streams_max: int = STREAMS_OF_A_CONNECTION
    ) -> None:
        """`opened` opens one; no channel carries more than `streams_max` streams at once."""
        self._open = opened
        self._streams_max = streams_max
        self._streams: dict[grpc.aio.Channel, int] = {}

    def begin(self, start: Callable[[grpc.aio.Channel], Any]) -> Any:
        """The call that `start` makes on a channel with room."""
        channel = self._with_room()
        call = start(channel)
        self._streams[channel] += 1
        call.add_done_callback(lambda _call: self._ended(channel))
        return call

    def _with_room(self) -> grpc.aio.Channel:
        for channel, streams in self._streams.items():
            if streams < self._streams_max:
                return channel
        channel = self._open()
        self._streams[channel] = 0
        return channel

    def _ended(self, channel: grpc.aio.Channel) -> None:
        self._streams[channel] -= 1

    async def close(self) -> None:
        """Ends all streams."""
        await asyncio.gather(*(channel.close() for channel in self._streams))
