"""An upload that is given up leaves nothing behind at the sender."""

import asyncio
import gc
import time
from pathlib import Path
from typing import Any

import pytest

from carbonline.client.upload import upload_messages
from carbonline.v1 import types_pb2

OPENING_SECONDS = 0.1


async def test_an_upload_cancelled_while_its_file_is_opened_leaves_it_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flights.csv"
    path.write_bytes(b"x" * 1_000_000)
    messages = upload_messages(path, types_pb2.Scope(), "")
    assert (await anext(messages)).header.expected_sha256
    original, opened = Path.open, []

    def slowly(self: Path, mode: str) -> Any:
        time.sleep(OPENING_SECONDS)
        opened.append(self)
        return original(self, mode)

    monkeypatch.setattr(Path, "open", slowly)
    reading = asyncio.ensure_future(anext(messages))
    await asyncio.sleep(OPENING_SECONDS / 2)
    reading.cancel()
    await asyncio.wait({reading})
    await asyncio.get_running_loop().shutdown_default_executor()
    # What is left open says so when it is collected, which is an error here.
    gc.collect()
    assert opened == [path]
