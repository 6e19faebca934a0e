"""A plain HTTP client for tests: a connection for each request, and nothing done by itself."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Answer:
    """A whole answer; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class HttpClient:
    """Asks one gateway, as the caller whose token is given; "" sends none."""

    port: int
    token: str = "local"

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        **headers: str,
    ) -> Answer:
        """One request. `headers` have underscores for hyphens."""
        return await asyncio.to_thread(self._ask, method, path, body, self._headers(headers))

    async def get(self, path: str, **headers: str) -> Answer:
        """One GET."""
        return await self.ask("GET", path, None, **headers)

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> Answer:
        """One POST of JSON."""
        return await self.ask("POST", path, body, **headers)

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        headers = {name.replace("_", "-"): value for name, value in given.items()}
        if self.token:
            headers.setdefault("authorization", f"Bearer {self.token}")
        return headers

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None,
        headers: dict[str, str],
    ) -> Answer:
        if isinstance(body, Mapping):
            body = json.dumps(body).encode()
            headers.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS_MAX)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            pairs = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, pairs, answer.read())
        finally:
            connection.close()

    @asynccontextmanager
    async def stream(self, path: str, **headers: str) -> AsyncIterator["Stream"]:
        """A request whose answer is read as it comes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        sent = {"host": f"127.0.0.1:{self.port}", **self._headers(headers)}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            async with asyncio.timeout(SECONDS_MAX):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *rest = head.split("\r\n")
            pairs = dict(line.lower().split(": ", 1) for line in rest if line)
            yield Stream(int(first.split()[1]), pairs, reader, writer)
        finally:
            writer.close()


@dataclass(frozen=True)
class Event:
    """One event of a stream; a comment has the name ":"."""

    name: str
    number: str
    data: Any


@dataclass(frozen=True)
class Stream:
    """An answer in chunks, of which events are read one by one."""

    status: int
    headers: Mapping[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def events(self) -> AsyncIterator[Event]:
        """The events until the end of the answer."""
        buffer = ""
        async for chunk in self._chunks():
            buffer += chunk.decode().replace("\r\n", "\n")
            while "\n\n" in buffer:
                block, _, buffer = buffer.partition("\n\n")
                yield _event_of(block)

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            async with asyncio.timeout(SECONDS_MAX):
                size = int((await self.reader.readuntil(b"\r\n")).strip(), 16)
                if size == 0:
                    return
                chunk = await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            yield chunk


def _event_of(block: str) -> Event:
    fields = [line.partition(":")[::2] for line in block.split("\n")]
    found = {name: value.removeprefix(" ") for name, value in fields}
    if "event" not in found:
        return Event(":", "", found)
    return Event(found["event"], found.get("id", ""), json.loads(found["data"]))
