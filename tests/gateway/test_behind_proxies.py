"""The configurations of docs/http.md before a real gateway: events come at once, files go through.

Where nginx or Caddy is not installed, its tests are skipped.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from carbonline.v1 import types_pb2
from tests.gateway.conftest import Services, gateway_before
from tests.gateway.http_client import SECONDS_MAX, HttpClient
from tests.gateway.test_console_events import next_update, pipelines_of
from tests.ports import free_ports
from tests.scheduler_service.rpc.conftest import Client

DOCS = Path(__file__).parents[2] / "docs/http.md"
HOST = "carbon.example.org"
BLOCKS = {"nginx": "nginx", "caddy": "caddyfile"}
LARGE_BYTES = 300_000_000
LOCAL = types_pb2.Scope(tenant="local")
# Certificates are the machine's; all else stays as it is written.
NGINX = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {server}
}}
"""


def program(name: str) -> str:
    found = os.environ.get(f"CARBONLINE_{name.upper()}") or shutil.which(name) or ""
    if not found and Path(f"/usr/sbin/{name}").is_file():
        found = f"/usr/sbin/{name}"
    return found


def configured(name: str, port: int, gateway_port: int, folder: Path) -> list[str]:
    """The command of a proxy with the block of the docs, at a port and without TLS."""
    (block,) = re.findall(rf"```{BLOCKS[name]}\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert block.count("127.0.0.1:7410") == 1
    block = block.replace("7410", str(gateway_port))
    file = folder / name
    if name == "caddy":
        assert block.startswith(f"{HOST} {{")
        file.write_text(f"{{\n    admin off\n}}\nhttp://{HOST}:{port} {block[len(HOST) :]}")
        return [program(name), "run", "--adapter", "caddyfile", "--config", str(file)]
    assert block.count("listen 443 ssl http2;") == 1
    block = block.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};")
    block = re.sub(r" *ssl_certificate.*\n", "", block)
    file.write_text(NGINX.format(folder=folder, server=block))
    return [program(name), "-p", str(folder), "-c", str(file)]


@asynccontextmanager
async def running(name: str, gateway_port: int, folder: Path) -> AsyncIterator[int]:
    """The port of a proxy, once it answers."""
    port = free_ports(1)
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    process = await asyncio.create_subprocess_exec(
        *configured(name, port, gateway_port, folder), env=environment
    )
    try:
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                assert process.returncode is None
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    # It tells nobody when it listens.
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.mark.parametrize("name", BLOCKS)
async def test_events_come_at_once_and_files_pass_through(
    services: Services, driver: Client, tmp_path: Path, name: str
) -> None:
    if not program(name):
        pytest.skip(f"no {name}: install it, or set CARBONLINE_{name.upper()}")
    (tmp_path / "proxy").mkdir()
    addresses = (services.scheduler_address, services.ledger_address)
    async with (
        gateway_before(*addresses, hosts=(HOST,)) as gateway,
        running(name, gateway.port, tmp_path / "proxy") as port,
    ):
        http = HttpClient(port)
        async with http.stream("/v1/events", host=HOST) as stream:
            events = stream.events()
            await next_update(events)
            pipeline = str((await driver.submit("noop", LOCAL)).pipeline_id)
            async with asyncio.timeout(SECONDS_MAX):
                while pipeline not in pipelines_of(await next_update(events)):
                    pass
        stored = await http.ask("POST", "/v1/blobs?file_name=a.csv", b"a\n" * 2_000_000, host=HOST)
        assert stored.status in (200, 201), stored.body
        if name == "nginx":
            # Without its lines, it would store the file first, or refuse it. Caddy does neither.
            assert await answer_before_the_body(port) == b"HTTP/1.1 401 Unauthorized"


async def answer_before_the_body(port: int) -> bytes:
    """The first line of the gateway's answer to a large file, of which little was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /v1/blobs?file_name=a.csv HTTP/1.1\r\nhost: {HOST}\r\n"
        f"authorization: Bearer nobody\r\ncontent-length: {LARGE_BYTES}\r\n\r\n"
    )
    writer.write(head.encode() + b"a\n" * 8_000)
    try:
        async with asyncio.timeout(SECONDS_MAX):
            return (await reader.readline()).strip()
    finally:
        writer.close()
