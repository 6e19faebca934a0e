"""A channel over TLS goes on with renewed files, and leaves no call and no connection behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import grpc.aio
import pytest

from carbonline.client.channel import open_channel
from carbonline.client.renewing_channel import RenewingChannel
from carbonline.client.tls_files import TlsFiles
from tests.carbonline.serving.certificates import Authority

Asks: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]"
SHUTDOWN = grpc.ChannelConnectivity.SHUTDOWN
ASK, WATCH = "/test/Ask", "/test/Watch"


async def _name_of(_request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
    """The name in the certificate of the caller."""
    [name] = context.auth_context()["x509_common_name"]
    return bytes(name)


async def _watch(
    request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]"
) -> AsyncIterator[bytes]:
    yield await _name_of(request, context)
    await asyncio.Event().wait()


class _Handlers(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        if details.method == ASK:
            return grpc.unary_unary_rpc_method_handler(_name_of)
        return grpc.unary_stream_rpc_method_handler(_watch)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@asynccontextmanager
async def address_of_a_server(authority: Authority) -> AsyncIterator[str]:
    """A server that asks its callers for certificates."""
    tls = authority.server(asks_clients=True)
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    credentials = grpc.ssl_server_credentials(
        [pair], authority.ca.read_bytes(), require_client_auth=True
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Handlers(),))
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield f"localhost:{port}"
    finally:
        await server.stop(None)


def renew(tls: TlsFiles, authority: Authority, name: str) -> None:
    """As a tool of certificates does: each file is replaced."""
    assert tls.certificate is not None
    assert tls.key is not None
    certificate, key = authority.issue(name)
    certificate.replace(tls.certificate)
    key.replace(tls.key)


async def test_calls_after_a_renewal_are_made_with_the_new_certificate(
    authority: Authority,
) -> None:
    tls = authority.client("first")
    async with (
        address_of_a_server(authority) as address,
        open_channel(address, retries=True, tls=tls) as channel,
    ):
        ask: Asks = channel.unary_unary(ASK)
        assert await ask(b"") == b"first"
        renew(tls, authority, "second")
        assert await ask(b"") == b"second"


async def test_a_call_goes_on_and_its_connection_is_closed_after_it(authority: Authority) -> None:
    tls = authority.client("first")
    opened: list[grpc.aio.Channel] = []
    async with address_of_a_server(authority) as address:

        def open_one() -> grpc.aio.Channel:
            certificate, key = tls.certificate, tls.key
            assert certificate is not None
            assert key is not None
            credentials = grpc.ssl_channel_credentials(
                tls.ca.read_bytes(), key.read_bytes(), certificate.read_bytes()
            )
            opened.append(grpc.aio.secure_channel(address, credentials))
            return opened[-1]

        async with RenewingChannel(tls, open_one) as channel:
            watches: Any = channel.unary_stream(WATCH)
            watch = watches(b"")
            assert await watch.read() == b"first"
            renew(tls, authority, "second")
            ask: Asks = channel.unary_unary(ASK)
            assert await ask(b"") == b"second"
            assert len(opened) == 2
            assert not watch.done()
            assert opened[0].get_state() is grpc.ChannelConnectivity.READY
            watch.cancel()
            async with asyncio.timeout(10):
                while opened[0].get_state() is not SHUTDOWN:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.01)
            assert await ask(b"") == b"second"
        assert opened[1].get_state() is SHUTDOWN


@pytest.mark.parametrize("broken", ["another's key", "half a certificate", "absent"])
async def test_files_that_cannot_be_used_yet_change_nothing(
    authority: Authority, broken: str
) -> None:
    tls = authority.client("first")
    assert tls.certificate is not None
    assert tls.key is not None
    async with (
        address_of_a_server(authority) as address,
        open_channel(address, retries=True, tls=tls) as channel,
    ):
        ask: Asks = channel.unary_unary(ASK)
        assert await ask(b"") == b"first"
        certificate, key = authority.issue("second")
        match broken:
            case "another's key":
                tls.key.write_bytes(key.read_bytes())
            case "half a certificate":
                tls.certificate.write_bytes(certificate.read_bytes()[:99])
            case _:
                tls.key.unlink()
        assert await ask(b"") == b"first"
        certificate.replace(tls.certificate)
        key.replace(tls.key)
        assert await ask(b"") == b"second"
