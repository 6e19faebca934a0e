"""An upload shows how far it is, and one that is too large does not begin."""

import asyncio
import io
import re
from pathlib import Path
from typing import cast

import click
import pytest
from rich.console import Console, Group

from carbonline.client.contract_client import ContractClient
from carbonline.client.upload import CHUNK_BYTES, upload_messages
from carbonline.command.jobs_of_files import check_size, entries_job, units_job, uploaded
from carbonline.command.upload_progress import UploadProgress, upload_shown
from carbonline.v1 import types_pb2
from tests.carbonline.command.test_display import Clock, terminal

MB = 1_000_000


def lines(group: Group) -> list[str]:
    return [str(line) for line in group.renderables]


async def test_bytes_are_told_as_they_are_handed_over(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    file.write_bytes(b"x" * (2 * CHUNK_BYTES + 7))
    told: list[int] = []
    async for _ in upload_messages(file, types_pb2.Scope(), "trips.csv", told.append):
        pass
    assert told == [CHUNK_BYTES, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 7]


def test_an_upload_has_bytes_rate_and_time_left() -> None:
    clock = Clock()
    progress = UploadProgress("trips.csv", 80 * MB, clock)
    # The file is read for its name first; no rate is made of that.
    clock.now += 9.0
    progress.sent(5 * MB)
    clock.now += 0.5
    progress.sent(10 * MB)
    assert progress.parts() == ["Uploading trips.csv: 10.0 of 80.0 MB"]
    clock.now += 1.0
    progress.sent(20 * MB)
    assert ", ".join(progress.parts()) == (
        "Uploading trips.csv: 20.0 of 80.0 MB, 10.0 MB/s, 6 s left"
    )
    assert lines(progress.drawn(80)) == [
        "Uploading trips.csv: 20.0 of 80.0 MB, 10.0 MB/s, 6 s left",
        "━" * 14 + "─" * 41 + "  25%",
    ]
    assert lines(progress.drawn(40))[:2] == [
        "Uploading trips.csv: 20.0 of 80.0 MB,",
        "10.0 MB/s, 6 s left",
    ]


def test_a_terminal_is_redrawn_and_left_clean() -> None:
    screen, clock = io.StringIO(), Clock()
    with upload_shown(terminal(screen, 80), "trips.csv", 80 * MB, clock) as sent:
        sent(1)
        assert screen.getvalue() == ""
        clock.now += 2.0
        sent(20 * MB)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "20.0 of 80.0 MB, 10.0 MB/s, 6 s left" in shown
    assert screen.getvalue().endswith("\x1b[2K")


def test_elsewhere_there_is_a_line_now_and_then() -> None:
    said, clock = io.StringIO(), Clock()
    with upload_shown(Console(file=said), "trips.csv", 80 * MB, clock) as sent:
        for second in range(12):
            sent(second * MB)
            clock.now += 1.0
    assert said.getvalue().splitlines() == [
        "Uploading trips.csv: 5.0 of 80.0 MB, 1.0 MB/s, 75 s left",
        "Uploading trips.csv: 10.0 of 80.0 MB, 1.0 MB/s, 70 s left",
    ]


async def test_an_upload_that_is_broken_off_says_that_nothing_is_submitted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trips.csv").write_text("a\n")
    begun = asyncio.Event()

    class Slow:
        async def upload_blob(self, *_: object) -> None:
            begun.set()
            await asyncio.Event().wait()

    job = units_job(tmp_path / "trips.csv", 2024)
    client = cast("ContractClient", Slow())
    upload = asyncio.create_task(uploaded(client, job, "trips.csv", types_pb2.Scope()))
    await begun.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert capsys.readouterr().err == "The upload was interrupted: nothing was submitted.\n"


def test_a_file_that_the_ledger_would_not_take_is_refused_before_a_byte_is_sent(
    tmp_path: Path,
) -> None:
    large = tmp_path / "trips.csv"
    with large.open("wb") as file:
        file.truncate(3 << 30)
    said = r"has 3,221,225,472 bytes; the ledger accepts at most 2,147,483,648\."
    advice = "Split it, and give each part its own --source"
    with pytest.raises(click.UsageError, match=f"{said} {advice}"):
        check_size(entries_job(large, 0, types_pb2.DATA_ENTRY_TYPE_PLANE, 2024), 2 << 30)
    with pytest.raises(click.UsageError, match=f"{said}$"):
        check_size(units_job(large, 2024), 2 << 30)
    check_size(units_job(large, 2024), 3 << 30)
    # An older ledger does not say what it takes.
    check_size(units_job(large, 2024), 0)
