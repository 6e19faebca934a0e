"""Streams never use up what a connection carries, so that no call waits for their end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from carbonline.client.channel import open_channel
from carbonline.client.stream_channels import STREAMS_OF_A_CONNECTION, StreamChannels
from carbonline.serving.listening import CONNECTION_STREAMS_MAX

STREAMS_MAX = 2


async def _watch(
    request: bytes, _context: "grpc.aio.ServicerContext[bytes, bytes]"
) -> AsyncIterator[bytes]:
    yield request
    await asyncio.Event().wait()


class _Handlers(grpc.GenericRpcHandler):
    def service(self, _details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_stream_rpc_method_handler(_watch)


@asynccontextmanager
async def address_of_a_server(folder: Path) -> AsyncIterator[str]:
    """A server that allows so many streams on a connection."""
    server = grpc.aio.server(options=[("grpc.max_concurrent_streams", STREAMS_MAX)])
    server.add_generic_rpc_handlers((_Handlers(),))
    server.add_insecure_port(f"unix:{folder}/s")
    await server.start()
    try:
        yield f"unix:{folder}/s"
    finally:
        await server.stop(None)


def watch(channel: grpc.aio.Channel) -> Any:
    call: Any = channel.unary_stream("/test/Watch")
    return call(b"")


async def test_more_streams_than_a_connection_carries_begin_at_once(tmp_path: Path) -> None:
    async with address_of_a_server(tmp_path) as address:
        opened: list[grpc.aio.Channel] = []

        def open_one() -> grpc.aio.Channel:
            opened.append(open_channel(address, retries=False, own_connection=True))
            return opened[-1]

        channels = StreamChannels(open_one, STREAMS_MAX)
        async with asyncio.timeout(10):
            streams = [channels.begin(watch) for _ in range(2 * STREAMS_MAX + 1)]
            assert [await stream.read() for stream in streams] == [b""] * len(streams)
            assert len(opened) == 3
            # A place that is free again is used again.
            streams[0].cancel()
            await asyncio.gather(streams[0].read(), return_exceptions=True)
            more = [channels.begin(watch) for _ in range(2)]
            assert [await stream.read() for stream in more] == [b"", b""]
            assert len(opened) == 3
        await channels.close()


def test_a_connection_has_room_for_its_streams() -> None:
    assert STREAMS_OF_A_CONNECTION < CONNECTION_STREAMS_MAX
