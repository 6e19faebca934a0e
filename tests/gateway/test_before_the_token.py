"""What a gateway receives of strangers: little, and not for long."""

import asyncio

import pytest

from gateway_service import server
from gateway_service.server import RunningGateway

LARGE = 15 * 1024 * 1024
POST = (
    "POST {} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n{}"
    f"Content-Length: {LARGE}\r\n\r\n"
)


async def answer_to(port: int, head: str, piece: bytes = b"", pieces: int = 0) -> bytes:
    """What comes back before the request is whole; "" if the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(10):
            writer.write(head.encode())
            for _ in range(pieces):
                writer.write(piece)
                await writer.drain()
            return await reader.read(15)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/v1/session", "", b"413"),
        ("/v1/pipelines", "Authorization: Bearer nobody\r\n", b"401"),
    ],
)
async def test_a_large_body_is_not_received_of_a_stranger(
    gateway: RunningGateway, path: str, token: str, status: bytes
) -> None:
    found = await answer_to(gateway.port, POST.format(path, token), b"a" * 65_536, 16)
    assert found.split(b" ")[1:2] == [status]


async def test_a_head_has_an_end(gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "GET / HTTP/1.1\r\nHost: localhost\r\nX: "
    assert await answer_to(gateway.port, endless, b"a" * 65_536, 64) == b""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    assert await answer_to(gateway.port, endless) == b""
