"""A gateway that serves nothing any more ends, so that whoever supervises it starts a new one."""

import asyncio
from pathlib import Path

import pytest
import uvicorn

from carbonline.serving.background import BackgroundTaskEnded
from gateway_service.server import serve
from gateway_service.settings import Settings

SECONDS = 20.0


async def nothing_more(_server: uvicorn.Server) -> None:
    """In place of what goes on until the server is told to end."""


async def test_a_gateway_ends_with_its_server_of_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn.Server, "main_loop", nothing_more)
    address = f"unix:{tmp_path}/nobody"
    settings = Settings("127.0.0.1", 0, address, address)
    with pytest.raises(BackgroundTaskEnded, match="'http' ended"):
        async with asyncio.timeout(SECONDS):
            await serve(settings, ())
