"""A reader who types a document's commands one after the other, in one shell, in one folder."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from tests.docs.documented_commands import Block, Command, first_difference

COMMAND_SECONDS_MAX = 120.0
READY_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 20.0
# What one command exports, the next one finds: as in the reader's own shell.
SHELL = 'set -a; [ -f "$0" ] && . "$0"; {command}\ncode=$?; export -p >"$0"; exit $code'


class NotAsPromised(AssertionError):
    """A command printed, or ended with, something else than its document says."""


@dataclass
class Reader:
    """Runs commands in `folder`; `environment` is all that they find of this process's own."""

    folder: Path
    environment: Mapping[str, str]
    background: list[subprocess.Popen[str]] = field(default_factory=list)

    def follow(self, block: Block) -> None:
        """Run a block's commands; NotAsPromised where one departs from its document."""
        for command in block.commands:
            if command.in_background:
                self.start(command)
            else:
                self.run(command)

    def run(self, command: Command) -> None:
        """Run to the end, then compare the exit code and all that was printed."""
        process = self._spawn(command)
        try:
            printed, _ = process.communicate(timeout=COMMAND_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            stop(process)
            drain(process)
            raise NotAsPromised(_about(command, "it did not end in time")) from None
        if process.returncode != command.exit_code:
            ended = f"it ended with {process.returncode}, not {command.exit_code}:\n{printed}"
            raise NotAsPromised(_about(command, ended))
        difference = first_difference(command.expected, printed.splitlines())
        if difference:
            raise NotAsPromised(_about(command, difference))

    def start(self, command: Command) -> None:
        """Start, wait until all that is promised was printed, and leave it running."""
        process = self._spawn(command)
        self.background.append(process)
        difference = _awaited(command, process)
        if difference:
            self.leave()
            drain(process)
            raise NotAsPromised(_about(command, difference))
        Thread(target=drain, args=[process], daemon=True).start()

    def leave(self) -> None:
        """End what still runs in the background, the youngest first."""
        while self.background:
            stop(self.background.pop())

    def _spawn(self, command: Command) -> subprocess.Popen[str]:
        script = SHELL.format(command=command.text)
        return subprocess.Popen(
            ["bash", "-c", script, str(self.folder / ".exported")],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


@contextmanager
def reader_in(folder: Path, environment: Mapping[str, str]) -> Iterator[Reader]:
    """A reader whose background commands end with the block."""
    reader = Reader(folder, environment)
    try:
        yield reader
    finally:
        reader.leave()


def stop(process: subprocess.Popen[str]) -> None:
    """Ask the command and its children to end; insist after a while."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                continue


def drain(process: subprocess.Popen[str]) -> None:
    """Read to the end what nobody compares, so that the command never waits for a reader."""
    assert process.stdout is not None
    with process.stdout as output:
        for _ in output:
            pass


def _awaited(command: Command, process: subprocess.Popen[str]) -> str | None:
    """Read until all that is promised was printed: None; else how it differs in the end."""
    printed: list[str] = []
    if not command.expected:
        return None
    for line in _lines_until(process, time.monotonic() + READY_SECONDS_MAX):
        printed.append(line)
        if first_difference(command.expected, printed) is None:
            return None
    return first_difference(command.expected, printed)


def _lines_until(process: subprocess.Popen[str], deadline: float) -> Iterator[str]:
    """Lines as they are printed, until the deadline or the end of the output."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(descriptor, 65_536)
            if not chunk:
                break
            *whole, pending = (pending + chunk).split(b"\n")
            yield from (line.decode() for line in whole)
    if pending:
        yield pending.decode()


def _about(command: Command, what: str) -> str:
    return f"line {command.line}: $ {command.text}\n{what}"
