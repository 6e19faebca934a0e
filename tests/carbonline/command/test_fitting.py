"""On a terminal no sentence is broken within a word, and a command to type is left whole."""

import fcntl
import os
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonline.command.fitting import fitted

WORDS = st.text("abcdefg0123456789,.", min_size=1, max_size=18)


@given(st.lists(WORDS, min_size=1, max_size=30), st.integers(20, 100), st.integers(0, 4))
def test_lines_fit_and_all_words_are_whole(words: list[str], width: int, indent: int) -> None:
    lines = fitted(" " * indent + " ".join(words), width).split("\n")
    assert " ".join(line.strip() for line in lines).split() == words
    assert all(len(line) <= max(width, indent + 18) for line in lines)
    assert all(line.startswith(" " * indent) for line in lines)


@pytest.mark.parametrize(
    "command",
    [
        "carbonline watch 4 --data-folder /a/rather/long/folder",
        ".venv/bin/carbonline watch 4 --data-folder elsewhere",
        "'/my programs/carbonline' watch 4 --data-folder elsewhere",
        "uvx --from '/my programs/carbonline-0.1.0.whl[local]' carbonline watch 4",
        "uvx --from dist/carbonline-0.1.0-py3-none-any.whl carbonline watch 4",
    ],
)
def test_a_command_to_type_stands_on_a_line_of_its_own(command: str) -> None:
    said = fitted(f"Pipeline 4 continues. To watch it again: {command}\n", 40)
    assert said == f"Pipeline 4 continues. To watch it again:\n{command}\n"


def test_a_command_is_indented_where_it_fits_all_the_same() -> None:
    said = fitted("Rejected rows: carbonline rejected 12 -o rejected.csv", 40)
    assert said == "Rejected rows:\n  carbonline rejected 12 -o rejected.csv"
    said = fitted("Rejected rows: carbonline rejected 120 -o rejected.csv", 40)
    assert said == "Rejected rows:\ncarbonline rejected 120 -o rejected.csv"


def test_a_number_stays_in_the_line_of_its_unit() -> None:
    said = fitted("Pipeline 13 (factor_ingest 2024): SUCCESS after 0.1 s. It is 81.549 kg.", 53)
    assert said == "Pipeline 13 (factor_ingest 2024): SUCCESS after\n0.1 s. It is 81.549 kg."
    assert fitted("2,000 stones and 3 tables", 20) == "2,000 stones and 3\ntables"


def test_a_line_that_is_a_command_is_left_whole() -> None:
    line = "  carbonline up --data-folder /a/rather/long/folder/of/mine"
    assert fitted(line, 40) == line


def test_what_steers_a_terminal_and_what_fits_is_left_as_it_is() -> None:
    assert fitted("\x1b[2K" + "word " * 20, 40) == "\x1b[2K" + "word " * 20
    assert fitted("two\n\nlines\n", 40) == "two\n\nlines\n"


def on_terminal(columns: int, *words: str, folder: Path) -> str:
    """What stands on a terminal of so many columns after `carbonline WORDS`."""
    reading, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    # A command to type is never cut, and says where `carbonline` stands unless it is found.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    run = subprocess.Popen(
        [sys.executable, "-m", "carbonline.command.main", *words],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=folder,
        env={**environment, "TERM": "xterm", "PATH": path},
    )
    os.close(terminal)
    said = b""
    try:
        while piece := os.read(reading, 4096):
            said += piece
    except OSError:
        # So a terminal ends when the last one has left it.
        pass
    os.close(reading)
    run.wait()
    return said.decode().replace("\r\n", "\n")


def test_a_complaint_fits_the_terminal(tmp_path: Path) -> None:
    said = on_terminal(40, "workers", "--data-folder", "elsewhere", folder=tmp_path)
    assert all(len(line) <= 40 for line in said.splitlines()), said
    assert "Error: No stack runs on the folder" in said
    assert " ".join(said.split()).endswith("or give --scheduler and --ledger.")


def test_help_fits_the_terminal(tmp_path: Path) -> None:
    helped, _, typed = on_terminal(60, "totals", "--help", folder=tmp_path).partition("Examples:")
    assert all(len(line) <= 60 for line in helped.splitlines()), helped
    assert "\n    carbonline totals --year 2024 --strict || echo incomplete\n" in typed


def test_help_on_a_narrow_terminal_is_laid_out_once(tmp_path: Path) -> None:
    helped, _, typed = on_terminal(40, "submit", "--help", folder=tmp_path).partition("Examples:")
    assert (
        "\n  --unit TEXT\n      The file covers only this unit,\n      not all units.\n" in helped
    )
    piped = "\n    zcat trips.csv.gz | carbonline submit - --type plane --year 2024\n"
    assert piped in typed, "a command behind a pipe is whole, too"
