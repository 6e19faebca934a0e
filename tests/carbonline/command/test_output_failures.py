"""Full disks, readers that have left, Ctrl-C: each end has its code, and none is a traceback."""

import os
import resource
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.test_demo import processes_of

COMMAND = (sys.executable, "-m", "carbonline.command.main")
SECONDS_MAX = 60
# A command whose orderly end takes for ever.
STUBBORN = """
import asyncio
from carbonline.command.asynchronous import run_to_end

async def work():
    try:
        print("works", flush=True)
        await asyncio.Event().wait()
    finally:
        print("tidies up", flush=True)
        await asyncio.Event().wait()

run_to_end(work())
"""


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("load", "units", "--help"), ()])
def test_help_on_a_full_device_is_a_sentence(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    if words:
        assert ended.stderr == "Error: stdout: No space left on device.\n"
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)


@pytest.mark.parametrize("suffix", ["csv", "json", "xlsx", "parquet"])
def test_a_list_on_a_full_device_is_a_sentence(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"sets.{suffix}"
    file.symlink_to("/dev/full")
    ended = subprocess.run(
        [*COMMAND, "factors", "shelf", "-o", file],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (ended.returncode, ended.stderr) == (2, f"Error: {file}: No space left on device.\n")


@pytest.mark.parametrize(
    "words",
    [
        ("submit", "-", "--type", "plane", "--year", "2024"),
        ("load", "factors", "uk-gov-2024", "--year", "2024"),
    ],
)
def test_a_temporary_file_that_cannot_be_written_is_named(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    # As a full disk: no file of this process may have more bytes.
    ended = subprocess.run(
        [*COMMAND, *words],
        input=b"a,b\n" * 1_000,
        capture_output=True,
        check=False,
        cwd=tmp_path,
        # Or Python would keep cut bytecode.
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000)),
    )
    assert ended.returncode == 2, ended
    said = " ".join(ended.stderr.decode().split())
    assert f"{tmp_path}/carbonline-" in said
    assert said.removesuffix(".").endswith(": File too large")


def test_help_that_nobody_reads_ends_in_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*COMMAND, "--help"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.parametrize("words", [("totals", "--module", "x"), ("workers", "--data-folder", "/x")])
def test_a_complaint_that_cannot_be_written_leaves_its_exit_code(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([*COMMAND, *words], stdout=subprocess.PIPE, stderr=full, check=False)
    assert (ended.returncode, ended.stdout) == (2 if "x" in words else 6, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_ctrl_c_ends_in_order_and_the_second_at_once(number: signal.Signals) -> None:
    run = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    with run.stdout:
        assert run.stdout.readline() == "works\n"
        run.send_signal(number)
        assert run.stdout.readline() == "tidies up\n"
        assert run.poll() is None
        run.send_signal(number)
        assert run.wait(SECONDS_MAX) == 130


def test_up_says_each_step_and_a_second_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [*COMMAND, "up", "--data-folder", tmp_path / "data"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert run.stdout is not None
    assert run.stderr is not None
    with run.stdout, run.stderr:
        while "Press Ctrl-C to stop" not in (line := run.stdout.readline()):
            assert line, run.stderr.read()
        run.send_signal(signal.SIGINT)
        said = ""
        while "Stopping scheduler" not in (line := run.stderr.readline()):
            assert line, said
            said += line
        run.send_signal(signal.SIGINT)
        assert run.wait(SECONDS_MAX) == 130
    for step in (
        f"Data, logs and sockets are in {tmp_path}/data.",
        "Starting PostgreSQL",
        "Migrating the database",
        "Starting scheduler, ledger, worker-1, worker-2",
        "A second Ctrl-C stops everything at once",
    ):
        assert step in said
    until_gone(tmp_path)


def until_gone(folder: Path) -> None:
    """Returns when no process of the folder is left; the kernel ends them one after the other."""
    for process in Path("/proc").glob("[0-9]*"):
        if str(folder) in _command(process):
            with suppress(ProcessLookupError):
                ended = os.pidfd_open(int(process.name))
                select.select([ended], [], [], SECONDS_MAX)
                os.close(ended)
    assert processes_of(folder) == []


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
