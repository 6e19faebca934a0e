"""`carbonline demo` as somebody runs it who has just cloned the project."""

import csv
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

from carbonline.command.exit_codes import ExitCode
from tests.acceptance.acceptance_run import FLIGHTS, recomputed

# The command, PostgreSQL, scheduler, ledger, two workers and the gateway with the console.
PROCESSES = 7
COMMAND = Path(sys.executable).with_name("carbonline")


def test_the_demo_prints_the_totals_keeps_the_rejected_rows_and_leaves_nothing_running(
    tmp_path: Path,
) -> None:
    first = run_demo(tmp_path)
    assert f"{recomputed(FLIGHTS).kg['total']:,.3f}" in first
    assert "Rows: 328,521 accepted, 8,255 rejected." in first
    assert "UA    United Air Lines Inc." in first
    with (tmp_path / "rejected.csv").open() as file:
        rejected = list(csv.DictReader(file))
    assert len(rejected) == 8_255
    assert {row["number_of_trips"] for row in rejected} == {"0"}
    assert {row["rejected_reason"].partition(":")[0] for row in rejected} == {"number_of_trips"}
    assert len(table_of(first)) == 16
    assert "NOTE:" not in first
    # Again on the same folder: everything is there already, and comes out the same.
    assert table_of(run_demo(tmp_path)) == table_of(first)


def test_ctrl_c_ends_the_demo_with_a_sentence_and_leaves_nothing_running(tmp_path: Path) -> None:
    run = started_demo(tmp_path)
    assert run.stderr is not None
    while "All are ready" not in (line := run.stderr.readline()):
        assert line, "the demo ended before it was ready"
    assert len(processes_of(tmp_path)) >= PROCESSES
    told = run.stderr.readline()
    address = re.search(r"http://\S+", told)
    assert address, told
    with urlopen(address[0], timeout=30) as page:
        assert b"carbonline" in page.read()
    command = run.stderr.readline().partition(": ")[2].split()
    assert command[1:] == ["console", "--data-folder", str(tmp_path)]
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == ExitCode.INTERRUPTED, said
    stopping, stopped = said.splitlines()[-2:]
    assert stopping == "Stopping; press Ctrl-C again to end at once."
    assert stopped == "Stopped; nothing is left running."
    assert processes_of(tmp_path) == []


def run_demo(folder: Path) -> str:
    """Runs it; what it prints. Fails if a process of it is left."""
    run = started_demo(folder)
    printed, said = run.communicate(timeout=120)
    assert run.returncode == 0, said
    assert processes_of(folder) == []
    return printed


def started_demo(folder: Path) -> "subprocess.Popen[str]":
    """Starts it with a home of its own."""
    return subprocess.Popen(
        [COMMAND, "demo", "--data-folder", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Nothing of PostgreSQL is to be found on such a PATH.
        env={"PATH": "/nowhere", "HOME": str(folder)},
    )


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes with the demo's home, or with its folder in their command.

    Its children have sessions of their own, and PostgreSQL writes over its environment.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().decode(errors="replace")
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"HOME={folder}\0" in environment or str(folder) in command:
            found.append(command)
    return found


def table_of(printed: str) -> list[str]:
    """The lines with a unit, its entries and its kilograms."""
    return re.findall(r"^\w\w .* [\d,]+ +[\d,]+\.\d{3}$", printed, re.MULTILINE)
