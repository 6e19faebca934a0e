"""The product's processes with their imports done once: each is forked before its start.

A stack starts five processes or more, and each spends most of its start on imports, the same ones
for every test. What is forked has no thread, no channel and no setting yet; then it does what
`python -P -m PROGRAM` does, and ends as any interpreter ends. It is the child of whoever asked.
As a program, this module is the process that is forked: `python -P -m tests.warm_services FD`.
"""

import atexit
import ctypes
import functools
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from carbonline.local.child_process import ChildProcess
from carbonline.local.launch import end_with_owner_process
from tests.warm_program import REQUEST_BYTES_MAX, read_early
from worker_service.footprint import limit_footprint

# What each program imports once its settings are read.
MODULES = (
    "scheduler_service.__main__",
    "scheduler_service.declared_job_types",
    "scheduler_service.server",
    "worker_service.__main__",
    "worker_service.worker",
    "worker_service.ledger_api.server",
    "gateway_service.__main__",
    "gateway_service.server",
)
PR_SET_CHILD_SUBREAPER = 36
INTERPRETER = [sys.executable, "-P"]


def fork_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has stacks fork the Python processes that they start, for as long as the patch stays."""
    launched = ChildProcess._launched

    def warm(child: ChildProcess, log: IO[bytes]) -> "Forked | subprocess.Popen[bytes]":
        pattern = _pattern()
        can_fork = list(child.command[:2]) == INTERPRETER and child.identity == "same"
        if not can_fork or read_early(child.environment) != pattern.environment:
            return launched(child, log)
        return _forked(pattern.control, child, log)

    monkeypatch.setattr(ChildProcess, "_launched", warm)


@dataclass
class Forked:
    """A forked process, with as much of `subprocess.Popen` as its owner needs."""

    pid: int
    returncode: int | None = field(default=None, init=False)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._asked(os.WNOHANG)

    def wait(self) -> int | None:
        """The same, once it has ended."""
        return self._asked(0)

    def send_signal(self, number: int) -> None:
        """Does nothing to a process that has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """By kill -9."""
        self.send_signal(signal.SIGKILL)

    def _asked(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


@dataclass(frozen=True)
class _Pattern:
    """Where to ask the process that is forked, and the variables with which it began."""

    control: socket.socket
    environment: Mapping[str, str]


@functools.cache
def _pattern() -> _Pattern:
    """Started once; it ends with this process."""
    environment = read_early(os.environ)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [*INTERPRETER, "-m", "tests.warm_services", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=environment,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return _Pattern(ours, environment)


def _forked(control: socket.socket, child: ChildProcess, log: IO[bytes]) -> Forked:
    request = {
        "words": child.command[2:],
        "environment": dict(child.environment),
        "folder": os.fspath(Path.cwd()),
        "owner": os.getpid(),
        "death_signal": int(child.death_signal),
    }
    with _adopting():
        socket.send_fds(control, [json.dumps(request).encode()], [log.fileno()])
        return Forked(int(control.recv(32)))


@contextmanager
def _adopting() -> Iterator[None]:
    """Who of our descendants loses its parent meanwhile becomes our child."""
    library = ctypes.CDLL(None)
    library.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        library.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _serve(control: socket.socket) -> list[str]:
    """Forks a process for each request. Returns in the process, with its words."""
    limit_footprint()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for module in MODULES:
        importlib.import_module(module)
    while True:
        data, given, _, _ = socket.recv_fds(control, REQUEST_BYTES_MAX, 1)
        if not data:
            sys.exit()
        between = os.fork()
        if between == 0:
            # The process between ends at once, so that whoever asks becomes the parent.
            if os.fork():
                os._exit(0)
            return _become(json.loads(data), given[0], control)
        os.waitpid(between, 0)
        os.close(given[0])


def _become(request: Mapping[str, object], log: int, control: socket.socket) -> list[str]:
    """Has this process be as the launcher and Python would have begun it. Returns its words."""
    words, environment, owner = request["words"], request["environment"], request["owner"]
    assert isinstance(words, list)
    assert isinstance(environment, dict)
    assert isinstance(owner, int)
    os.setsid()
    os.umask(0o077)
    while os.getppid() != owner:
        os.sched_yield()
    end_with_owner_process(owner, int(str(request["death_signal"])))
    control.send(str(os.getpid()).encode())
    control.close()
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(environment)
    return words


def _run(words: list[str]) -> None:
    """What Python does with them: `-m MODULE` and its arguments, or a file and its own."""
    sys.argv = words[1:] if words[0] == "-m" else words
    if words[0] == "-m":
        # It was imported for what it imports itself.
        sys.modules.pop(f"{words[1]}.__main__", None)
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    _run(_serve(socket.socket(fileno=int(sys.argv[1]))))
