"""The command line with its imports done once: each command is a process forked before its start.

Of half a second that a command takes, four fifths are the imports, the same for every command.
What is forked has no thread, no channel and no argument yet, and ends as any interpreter ends.
As a program, this file is the process that is forked: `warm_program.py SOCKET`.
"""

import atexit
import functools
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "carbonline.command.main"
REQUEST_BYTES_MAX = 150_000
COMMAND = (sys.executable, "-m", PROGRAM)
# What a command reads when it runs. All else may have been read when Python began, or by imports.
READ_LATER = ("CARBONLINE_", "PYTEST_")


def run_command(
    words: Sequence[str | bytes],
    environment: Mapping[str, str],
    folder: Path,
    seconds_max: float,
) -> "subprocess.CompletedProcess[bytes]":
    """Runs `carbonline WORDS` in a folder to its end, and captures what it prints.

    It is forked, unless a variable that is not the product's differs from those of the pattern.
    Raises subprocess.TimeoutExpired, and kills the command, after `seconds_max`.
    """
    pattern = _pattern()
    if read_early(environment) == pattern.environment:
        return _run_forked(pattern.control, words, environment, folder, seconds_max)
    return subprocess.run(
        [*COMMAND, *words],
        check=False,
        capture_output=True,
        timeout=seconds_max,
        env=environment,
        cwd=folder,
    )


@dataclass(frozen=True)
class _Pattern:
    """Where to ask the process that is forked, and the variables with which it began."""

    control: socket.socket
    environment: Mapping[str, str]


def read_early(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that Python or an import may have read before there was a setting."""
    return {name: value for name, value in environment.items() if not name.startswith(READ_LATER)}


def _run_forked(
    control: socket.socket,
    words: Sequence[str | bytes],
    environment: Mapping[str, str],
    folder: Path,
    seconds_max: float,
) -> "subprocess.CompletedProcess[bytes]":
    request = json.dumps(
        {
            "words": [os.fsdecode(word) for word in words],
            "environment": dict(environment),
            "folder": os.fspath(folder),
        }
    ).encode()
    ours, theirs = socket.socketpair()
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    with ours, os.fdopen(out, "rb") as out_file, os.fdopen(err, "rb") as err_file:
        socket.send_fds(control, [request], [0, out_end, err_end, theirs.fileno()])
        theirs.close()
        os.close(out_end)
        os.close(err_end)
        answers = ours.makefile()
        pid = int(answers.readline())
        late = threading.Event()

        def end_it() -> None:
            late.set()
            os.kill(pid, signal.SIGKILL)

        timer = threading.Timer(seconds_max, end_it)
        timer.start()
        errors: list[bytes] = []
        reader = threading.Thread(target=lambda: errors.append(err_file.read()))
        reader.start()
        output = out_file.read()
        reader.join()
        code = int(answers.readline())
        timer.cancel()
        answers.close()
    if late.is_set():
        raise subprocess.TimeoutExpired(list(map(str, words)), seconds_max, output, errors[0])
    return subprocess.CompletedProcess(list(words), code, output, errors[0])


@functools.cache
def _pattern() -> _Pattern:
    """Started once; it ends with this process."""
    environment = read_early(os.environ)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-P", __file__, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        # What Python knows of its streams when it begins, such as that pipes do not seek, stays.
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.communicate()

    atexit.register(end)
    return _Pattern(ours, environment)


def _serve(control: socket.socket) -> None:
    """Forks a command for each request; returns in the command, and when nobody asks any more."""
    importlib.import_module(PROGRAM)
    while True:
        data, given, _, _ = socket.recv_fds(control, REQUEST_BYTES_MAX, 4)
        if not data:
            sys.exit()
        # The child waits for the command, so that this process never waits for any.
        if os.fork() == 0:
            break
        for one in given:
            os.close(one)
        _reap()
    control.close()
    *streams, answer = given
    pid = os.fork()
    if pid:
        for one in streams:
            os.close(one)
        os.write(answer, f"{pid}\n".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(answer, f"{code}\n".encode())
        os._exit(0)
    os.close(answer)
    for number, one in enumerate(streams):
        os.dup2(one, number)
        if one > 2:
            os.close(one)
    _become(json.loads(data))


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _become(request: Mapping[str, object]) -> None:
    """Has this process be as `python -m` would have begun it."""
    words, environment, folder = request["words"], request["environment"], request["folder"]
    assert isinstance(words, list)
    assert isinstance(environment, dict)
    os.chdir(str(folder))
    os.environ.clear()
    os.environ.update(environment)
    sys.path.insert(0, str(folder))
    sys.argv = [str(sys.modules[PROGRAM].__file__), *words]


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    sys.modules[PROGRAM].main(prog_name="carbonline")
