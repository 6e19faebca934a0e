"""The port that everybody knows goes to one stack of a machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import free_ports

ASK = "import sys; from carbonline.local.default_port import port_if_first as first; "
ASK_AND_STAY = ASK + "print(first(int(sys.argv[1])), flush=True); sys.stdin.read()"


def asking(port: int, folder: Path) -> "subprocess.Popen[str]":
    """A process with a folder of its own for temporary files."""
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", ASK_AND_STAY, str(port)],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer_of(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is a file elsewhere")
def test_of_two_that_start_at_once_one_has_the_port_and_the_next_when_it_has_ended(
    tmp_path: Path,
) -> None:
    port = free_ports(1)
    with asking(port, tmp_path / "one") as one, asking(port, tmp_path / "other") as other:
        assert sorted([answer_of(one), answer_of(other)]) == [0, port]
        one.communicate()
        other.communicate()
    with asking(port, tmp_path / "next") as next_one:
        assert answer_of(next_one) == port
        next_one.communicate()
