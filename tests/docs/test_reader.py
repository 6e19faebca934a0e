"""A reader sees what a person at a shell would see."""

import os
from pathlib import Path

import pytest

from tests.docs.documented_commands import blocks_of
from tests.docs.reader import NotAsPromised, reader_in

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def follow(folder: Path, *lines: str) -> None:
    with reader_in(folder, ENVIRONMENT) as reader:
        for block in blocks_of("\n".join(lines)):
            reader.follow(block)


def test_what_is_printed_as_promised_passes(tmp_path: Path) -> None:
    follow(tmp_path, "```console", "$ echo 12 rows", "7 rows", "```")


def test_an_error_message_is_output_too(tmp_path: Path) -> None:
    follow(tmp_path, "<!-- exit code: 2 -->", "```console", "$ ls x 2>&1 >/dev/null", "...", "```")


def test_a_variable_lives_on_to_the_next_command(tmp_path: Path) -> None:
    follow(tmp_path, "```console", "$ name=a; cd .", "$ echo $name", "a", "```")


@pytest.mark.parametrize(
    ("command", "output", "complaint"),
    [
        ("echo a", "b", "promised:"),
        ("echo a; exit 3", "a", "ended with 3, not 0"),
        ("false", "", "ended with 1, not 0"),
    ],
)
def test_a_departure_is_told(tmp_path: Path, command: str, output: str, complaint: str) -> None:
    with pytest.raises(NotAsPromised, match=complaint):
        follow(tmp_path, "```console", f"$ {command}", output, "```")


def test_a_background_command_runs_until_the_document_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "wake")
    follow(
        tmp_path,
        "<!-- executed in the background -->",
        "```console",
        "$ trap 'echo ended >end; exit' TERM; echo ready; read line <>wake",
        "ready",
        "```",
        "```console",
        "$ ls",
        "wake",
        "```",
    )
    assert (tmp_path / "end").read_text() == "ended\n"


def test_a_background_command_that_ends_before_it_is_ready_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotAsPromised, match="promised:"):
        follow(
            tmp_path,
            "<!-- executed in the background -->",
            "```console",
            "$ echo no",
            "ready",
            "```",
        )
