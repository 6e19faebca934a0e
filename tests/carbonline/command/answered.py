"""Commands typed at a terminal by a person who answers the one question that they ask."""

import fcntl
import os
import pty
import select
import signal
import sys
import termios

from tests.carbonline.command.terminal import SECONDS_MAX, Terminal
from tests.warm_program import COMMAND

# What a person types instead of yes, and the exit code: n, Ctrl-C, and the end of input.
NOES = {b"n\n": 9, b"\x03": 130, b"\x04": 9}


def at_a_terminal(
    terminal: Terminal,
    *words: str,
    answer: bytes = b"",
    piped: str = "",
    controlling: bool = True,
) -> tuple[int, str]:
    """Exit code and all that is seen, where the one question is answered so.

    `piped` is the text of a file that stdin is, instead of the terminal. Without `controlling`, the
    command's session has no terminal, although its streams are one.
    """
    # Before the fork: what a child of a process with threads does before it becomes another
    # program may never end.
    file = terminal.file("piped.csv", piped) if piped else None
    pid, master = pty.fork()
    if pid == 0:
        if file is not None:
            os.dup2(os.open(file, os.O_RDONLY), 0)
        if not controlling:
            # Whoever gives up a terminal is told to hang up.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            fcntl.ioctl(0, termios.TIOCNOTTY)
        os.chdir(terminal.folder)
        os.execve(sys.executable, [*COMMAND, *words], terminal.environment)
    seen = b""
    while select.select([master], [], [], SECONDS_MAX)[0]:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        seen += piece
        # A display may move the cursor behind the question.
        if answer and b"[y/N]:" in seen:
            os.write(master, answer)
            answer = b""
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()
