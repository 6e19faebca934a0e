"""Runs one child process, which logs to a file of its own and cannot outlive its owner."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

LAUNCHER = Path(__file__).with_name("launch.py")
LOG_BYTES_MAX = 16 * 1024 * 1024
TAIL_BYTES_MAX = 8 * 1024
BEGINNING_BYTES_MAX = 64 * 1024
TAIL_LINES_MAX = 12
EXIT_POLL_SECONDS = 0.02


@dataclass
class ChildProcess:
    """A command, its environment, and the process that runs it now, if any.

    `death_signal` is sent to the process when its owner dies, even by kill -9. `identity` is the
    user that it runs as, in the launcher's words: see `launch.take_identity`.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path
    death_signal: int = signal.SIGKILL
    identity: str = "same"
    log_start: int = field(default=0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _owner_pipe: int | None = field(default=None, init=False)

    def start(self) -> None:
        """Starts the command. Raises RuntimeError if it runs, or outside of the main thread."""
        if self.running:
            raise RuntimeError(f"{self.name} is running already")
        if threading.current_thread() is not threading.main_thread():
            # The kernel sends the signal when the forking thread ends, not the process.
            raise RuntimeError("child processes are started from the main thread only")
        self._close_owner_pipe()
        self._trim_log()
        with open(self.log_file, "ab", opener=_private) as log:
            self.log_start = log.tell()
            self._process = self._launched(log)

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process started last. Raises RuntimeError before the first start."""
        return self._started().pid

    @property
    def exit_code(self) -> int | None:
        """The exit code: None while it runs, negative for a signal."""
        return self._started().poll()

    def send(self, number: int) -> None:
        """Sends a signal. Does nothing if the process has ended."""
        self._started().send_signal(number)

    async def exited(self) -> int:
        """Waits until the process ends, however long it takes. Returns its exit code."""
        process = self._started()
        if process.poll() is None and hasattr(os, "pidfd_open"):
            await _until_readable(os.pidfd_open(process.pid))
        # Loops only on kernels without process descriptors.
        while (code := process.poll()) is None:  # noqa: ASYNC110
            await asyncio.sleep(EXIT_POLL_SECONDS)
        self._close_owner_pipe()
        return code

    async def stop(self, number: int, grace_seconds: float) -> int | None:
        """Sends a signal, waits at most `grace_seconds`, then kills. None if never started."""
        if self._process is None:
            return None
        self.send(number)
        return await self.ended_within(grace_seconds)

    async def ended_within(self, seconds: float) -> int | None:
        """Waits for the end at most `seconds`, then kills. Returns the exit code."""
        try:
            return await asyncio.wait_for(self.exited(), seconds)
        except TimeoutError:
            return self.kill()
        except asyncio.CancelledError:
            self.kill()
            raise

    def kill(self) -> int | None:
        """Kills the process. Returns its exit code, or None if it was never started."""
        if self._process is None:
            return None
        self._process.kill()
        code = self._process.wait()
        self._close_owner_pipe()
        return code

    def log_text(self) -> str:
        """The end of the log of the process started last: at most 8 KiB."""
        try:
            with self.log_file.open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(min(self.log_start, end), end - TAIL_BYTES_MAX))
                return log.read(TAIL_BYTES_MAX).decode(errors="replace")
        except FileNotFoundError:
            return ""

    def log_beginning(self) -> str:
        """The beginning of the log of the process started last: at most 64 KiB."""
        try:
            with self.log_file.open("rb") as log:
                log.seek(self.log_start)
                return log.read(BEGINNING_BYTES_MAX).decode(errors="replace")
        except FileNotFoundError:
            return ""

    def where_to_read(self) -> str:
        """A sentence that names the log file, followed by its last lines."""
        lines = self.log_text().splitlines()[-TAIL_LINES_MAX:]
        return "\n".join([f"Its log is {self.log_file}; it ends with:", *lines])

    def _launched(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        reading, self._owner_pipe = os.pipe()
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        owner = [str(os.getpid()), str(int(self.death_signal)), self.identity, str(reading)]
        try:
            return subprocess.Popen(
                [*launcher, *owner, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment),
                pass_fds=() if sys.platform == "linux" else (reading,),
                # A Ctrl-C at the terminal is the owner's to act on, in its own order.
                start_new_session=True,
            )
        finally:
            os.close(reading)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process

    def _trim_log(self) -> None:
        self.log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_BYTES_MAX:
            self.log_file.replace(self.log_file.with_name(self.log_file.name + ".old"))

    def _close_owner_pipe(self) -> None:
        if self._owner_pipe is not None:
            os.close(self._owner_pipe)
            self._owner_pipe = None


def _private(path: str, flags: int) -> int:
    """Opens a log that only this user can read: it may contain names of files and people."""
    return os.open(path, flags, 0o600)


async def _until_readable(descriptor: int) -> None:
    """Waits until the process of a descriptor has ended, and closes the descriptor."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
