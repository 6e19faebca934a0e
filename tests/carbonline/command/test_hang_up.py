"""A terminal that is closed ends a stack in order."""

import signal
from pathlib import Path

from tests.carbonline.command.terminal import SECONDS_MAX, Terminal


def test_a_stack_whose_terminal_is_closed_stops_in_order(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    up = terminal.start("up", "--workers", "1")
    assert up.stdout is not None
    while "Press Ctrl-C to stop" not in (line := up.stdout.readline()):
        assert line, "the stack did not start"
    # The kernel and the shell both say so.
    up.send_signal(signal.SIGHUP)
    up.send_signal(signal.SIGHUP)
    assert up.wait(SECONDS_MAX) == 0
    up.stdout.close()
