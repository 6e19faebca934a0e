"""A file of 400 MB goes through a gateway that holds little of it at any time."""

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.gateway.conftest import Services
from tests.gateway.http_client import HttpClient

FILE_BYTES = 400 * 1024 * 1024
PIECE = b"0828,GVA,CDG,123456,economy,,1,,,\n" * 8_192
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
GROWTH_KB_MAX = 40_000


@asynccontextmanager
async def gateway_process(services: Services) -> AsyncIterator[tuple[int, int]]:
    """A gateway in a process of its own: its number and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway_service",
        env={
            "CARBONLINE_GATEWAY_ADDRESS": f"127.0.0.1:{port}",
            "CARBONLINE_SCHEDULER_ADDRESS": services.scheduler_address,
            "CARBONLINE_LEDGER_ADDRESS": services.ledger_address,
        },
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(30):
            while b"gateway_started" not in await process.stderr.readline():
                pass
        yield process.pid, port
    finally:
        process.terminate()
        await process.communicate()


def peak_kb(process: int) -> int:
    """The most memory that a process has had."""
    found = PEAK.search(Path(f"/proc/{process}/status").read_text("utf-8"))
    assert found is not None
    return int(found[1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells a process's peak")
async def test_a_gateways_memory_is_flat_under_a_file_of_400_mb(services: Services) -> None:
    async with gateway_process(services) as (process, port):
        http = HttpClient(port)
        small = await http.ask("POST", "/v1/blobs?file_name=small.csv", PIECE)
        assert small.status == 200
        before = peak_kb(process)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "POST /v1/blobs?file_name=large.csv HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        head += f"authorization: Bearer local\r\ncontent-length: {FILE_BYTES}\r\n\r\n"
        writer.write(head.encode())
        left = FILE_BYTES
        while left:
            piece = PIECE[:left]
            writer.write(piece)
            await writer.drain()
            left -= len(piece)
        async with asyncio.timeout(60):
            answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        assert peak_kb(process) - before < GROWTH_KB_MAX
