"""An interrupt while the program's modules are imported ends it without a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

# The first module that the commands import interrupts, as a person does.
INTERRUPTING = "import os, signal\nos.kill(os.getpid(), signal.{})\n"


def run_with(folder: Path, name: str) -> "subprocess.CompletedProcess[str]":
    (folder / "click.py").write_text(INTERRUPTING.format(name))
    return subprocess.run(
        [sys.executable, "-c", "from carbonline.program import main; main()"],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_interrupt_while_modules_are_imported_says_nothing(tmp_path: Path) -> None:
    ended = run_with(tmp_path, "SIGINT")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_an_interrupt_that_the_parent_ignores_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ended = run_with(tmp_path, "SIGINT")
    finally:
        signal.signal(signal.SIGINT, before)
    # It goes on, and fails where the module that interrupts has nothing to give.
    assert ended.returncode == 1
    assert "click" in ended.stderr
