"""What the libraries under the gateway would answer by themselves: problems come out, too."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from carbonline.v1 import types_pb2
from gateway_service import server
from gateway_service.other_routes import EVENTS, OTHER_ROUTES
from gateway_service.server import RunningGateway
from tests.gateway.conftest import Services, gateway_before
from tests.gateway.http_client import HttpClient
from tests.gateway.test_rights import EVERY_ROUTE
from tests.gateway.test_routes import PROBLEM, path_of
from tests.gateway.test_streams import streams_of, until
from tests.scheduler_service.rpc.conftest import Client

SECONDS_MAX = 10
OURS = b"Host: localhost\r\n"
TOKEN = b"Authorization: Bearer local\r\n"
CLIENT_HELLO = bytes.fromhex("16030100050100000103") + b"\0" * 32
# What Java's client offers with each first request.
OFFER = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA")
# More than a head may have, in two pieces that are received together with nothing left unread.
LONG_HEAD = b"GET / HTTP/1.1\r\n" + OURS + b"X: " + b"a" * 66_000


@dataclass(frozen=True)
class Raw:
    """An answer as it came; `rest` is what came before it, such as an interim answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


async def answer_on(reader: asyncio.StreamReader) -> Raw:
    """The next answer of a connection, which says its length."""
    async with asyncio.timeout(SECONDS_MAX):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Raw(int(first.split()[1]), headers, body)


async def answer_to(port: int, sent: bytes) -> Raw:
    """The answer to these bytes on a connection of their own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await answer_on(reader)
    finally:
        writer.transport.abort()


def get(path: str, *lines: bytes, method: str = "GET", version: str = "1.1") -> bytes:
    head = f"{method} {path} HTTP/{version}\r\n".encode() + OURS
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


REFUSALS: tuple[tuple[bytes, int, str], ...] = (
    (get("/static/main.js", b"Range: bytes=99999999-"), 416, "REFUSED"),
    (get("/static/main.js", b"Range: bytes=9-3"), 400, "REFUSED"),
    (get("/static/main.js", b"Range: lines=1-2"), 400, "REFUSED"),
    (get("/static/main.js", method="POST"), 405, "METHOD_NOT_ALLOWED"),
    (get("/static/" + "a" * 300), 404, "PATH_NOT_FOUND"),
    (get("/static/%00"), 404, "PATH_NOT_FOUND"),
    (get("/v1/pipelines", method="OPTIONS"), 405, "METHOD_NOT_ALLOWED"),
    (get("/", method="TRACE"), 405, "METHOD_NOT_ALLOWED"),
    (get("*", method="OPTIONS"), 404, "PATH_NOT_FOUND"),
    (get("localhost:443", method="CONNECT"), 400, "NOT_HTTP"),
    (get("/\xe9"), 400, "NOT_HTTP"),
    (get("/", version="9.9"), 400, "NOT_HTTP"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "NOT_HTTP"),
    (CLIENT_HELLO, 400, "NOT_HTTP"),
    (get("/", b"Content-Length: 1", b"Content-Length: 2"), 400, "NOT_HTTP"),
    (
        get("/v1/pipelines", TOKEN[:-2], b"Transfer-Encoding: chunked", method="POST") + b"x\r\n",
        400,
        "NOT_HTTP",
    ),
    (b"GET / HTTP/1.1\r\n\r\n", 421, "HOST_UNKNOWN"),
    (b"GET / HTTP/1.0\r\n\r\n", 421, "HOST_UNKNOWN"),
    (get("/none", version="1.0"), 404, "PATH_NOT_FOUND"),
    (get("/none", b"Connection: upgrade", b"Upgrade: websocket"), 404, "PATH_NOT_FOUND"),
    (get("/v1/me", b"Connection: upgrade", b"Upgrade: h2c"), 401, "UNAUTHENTICATED"),
    (
        get("/v1/me", *OFFER, b"Content-Length: 2", method="POST") + b"{}",
        400,
        "UPGRADE_WITH_BODY",
    ),
    (LONG_HEAD, 431, "HEAD_TOO_LARGE"),
)


async def test_what_a_library_refuses_is_a_problem(gateway: RunningGateway) -> None:
    for sent, status, reason in REFUSALS:
        answer = await answer_to(gateway.port, sent)
        assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM), (sent, answer)
        assert (answer.json["status"], answer.json["reason"]) == (status, reason), sent
        assert answer.json["detail"]
        assert answer.headers["content-language"] == "en"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_part_of_a_file_is_a_file_and_a_wrong_part_says_its_size(
    gateway: RunningGateway,
) -> None:
    part = await answer_to(gateway.port, get("/static/main.js", b"Range: bytes=0-3"))
    assert (part.status, len(part.body)) == (206, 4)
    wrong = await answer_to(gateway.port, get("/static/main.js", b"Range: bytes=99999999-"))
    assert wrong.headers["content-range"] == part.headers["content-range"].replace("0-3", "*")


async def test_a_connection_too_many_is_told_so_and_closed(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECTIONS_MAX", 2)
    others = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(2)]
    try:
        for path in ("/v1/me", "/healthz", "/static/main.js"):
            answer = await answer_to(gateway.port, get(path, TOKEN[:-2]))
            assert (answer.status, answer.headers["content-type"]) == (503, PROBLEM), path
            assert answer.json["reason"] == "TOO_MANY_CONNECTIONS"
            assert (answer.headers["retry-after"], answer.headers["connection"]) == ("5", "close")
    finally:
        for _, writer in others:
            writer.close()


async def test_what_a_drain_cuts_is_told_to_repeat(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DRAIN_SECONDS", 0.4)
    head = get("/v1/blobs", TOKEN[:-2], b"Content-Length: 9", method="POST")
    async with gateway_before(services.scheduler_address, services.ledger_address) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(head + b"a,b\n")
        assert (await answer_to(running.port, get("/v1/me", TOKEN[:-2]))).status == 200
    answer = await answer_on(reader)
    writer.close()
    assert (answer.status, answer.headers["content-type"]) == (503, PROBLEM)
    assert (answer.json["reason"], answer.headers["retry-after"]) == ("DRAINING", "1")


async def test_an_upgrade_is_left_out_and_the_connection_goes_on(gateway: RunningGateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        for offer in (OFFER, (b"Connection: upgrade", b"Upgrade: websocket"), ()):
            writer.write(get("/v1/me", TOKEN[:-2], *offer))
            assert (await answer_on(reader)).json["name"] == "local", offer
    finally:
        writer.close()


async def test_a_body_is_asked_for_where_it_is_wanted(gateway: RunningGateway) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    expects = (TOKEN[:-2], b"Expect: 100-continue", b"Content-Length: 4")
    try:
        writer.write(get("/v1/blobs", *expects, method="POST"))
        assert (await answer_on(reader)).status == 100
        writer.write(b"a,b\n")
        assert (await answer_on(reader)).json["size_bytes"] == "4"
    finally:
        writer.close()


async def test_words_of_ours_never_stand_within_an_answer(
    gateway: RunningGateway, driver: Client
) -> None:
    await driver.submit("noop", types_pb2.Scope(tenant="local"))
    async with HttpClient(gateway.port).stream("/v1/pipelines/1/events") as stream:
        assert stream.status == 200
        stream.writer.write(b"\0\0\0\0 nothing of HTTP\r\n\r\n")
        async with asyncio.timeout(SECONDS_MAX):
            rest = await stream.reader.read()
    assert b"HTTP/1.1" not in rest
    await until(lambda: streams_of(gateway) == 0)


async def test_a_head_is_the_head_of_a_get_at_once(
    gateway: RunningGateway, http: HttpClient, driver: Client
) -> None:
    await driver.submit("noop", types_pb2.Scope(tenant="local"))
    paths = [path_of(one) for one in EVERY_ROUTE if one.method == "GET"]
    streams = {path_of(one) for one in OTHER_ROUTES if EVENTS in one.answer}
    paths = [path.replace("{data_entry_type}", "plane") for path in paths]
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        # One connection for all: what held it, or sent a body, would be seen by the next.
        for path in (*paths, "/", "/static/main.js", "/none"):
            writer.write(get(path, TOKEN[:-2], method="HEAD"))
            async with asyncio.timeout(SECONDS_MAX):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            status = int(head.split()[1])
            if path in streams:
                assert (status, "text/event-stream" in head) == (200, True), path
            else:
                answer = await http.get(path)
                kind = f"content-type: {answer.headers['content-type']}\r\n"
                assert (status, kind in head) == (answer.status, True), (path, head)
    finally:
        writer.close()
    await until(lambda: streams_of(gateway) == 0)
