"""The port that everybody knows goes to one stack of a user."""

import subprocess
import sys

from tests.ports import free_ports

ASK = "import sys; from carbonline.local.default_port import port_if_first as first; "
ASK_AND_STAY = ASK + "print(first(int(sys.argv[1])), flush=True); sys.stdin.read()"


def asking(port: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", ASK_AND_STAY, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer_of(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_of_two_that_start_at_once_one_has_the_port_and_the_next_when_it_has_ended() -> None:
    port = free_ports(1)
    with asking(port) as one, asking(port) as other:
        assert sorted([answer_of(one), answer_of(other)]) == [0, port]
        one.communicate()
        other.communicate()
    with asking(port) as next_one:
        assert answer_of(next_one) == port
        next_one.communicate()
