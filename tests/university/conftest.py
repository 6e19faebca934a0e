"""A stack of its own, into which the university is seeded once."""

import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.cases.conftest import COMMAND, SECONDS_MAX, Terminal
from tests.university.plain_account import FOLDER


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a running stack that has examples/university."""
    terminal = Terminal(tmp_path_factory.mktemp("university"))
    up = subprocess.Popen(
        [*COMMAND, "up", "--workers", "1"],
        stdout=subprocess.PIPE,
        text=True,
        env=terminal.environment,
        cwd=terminal.folder,
    )
    assert up.stdout is not None
    try:
        while "Press Ctrl-C to stop" not in (line := up.stdout.readline()):
            assert line, "the stack did not start"
        typed = terminal.type("seed", FOLDER)
        assert typed.code == 0, typed
        assert "2024: 1,307,740.968 kg CO2eq over 15 units." in typed.out
        yield terminal
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(SECONDS_MAX) == 0
        up.stdout.close()
