"""What the README promises beside its commands."""

import re
from pathlib import Path

from carbonline.command.exit_codes import ExitCode
from tests.docs.documented_commands import blocks_of

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_a_reader_has_it_running_by_line_20() -> None:
    commands = [command for block in blocks_of(README) for command in block.commands]
    assert [command.text for command in commands[:2] if command.line <= 20][1] == "make demo"


def test_every_exit_code_is_in_the_table() -> None:
    table = re.findall(r"^\| (\d+) \| ", README, re.MULTILINE)
    assert table == [str(code.value) for code in ExitCode]
