"""Every command that README and docs show is typed here, and prints what they show."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docs.documented_commands import Block, blocks_of
from tests.docs.reader import reader_in
from tests.ports import shift_to_free

REPOSITORY = Path(__file__).resolve().parents[2]
# It changes the code: tests/docs/test_adding_a_type.py follows it in a copy.
FOLLOWED_ELSEWHERE = frozenset({"adding_a_type.md"})
DOCUMENTS = [
    path
    for path in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))
    if path.exists() and path.name not in FOLLOWED_ELSEWHERE
]
# A reader has a curl; a bare machine has not.
CURL = f"#!{sys.executable} -I\n" + Path(__file__).with_name("curl_stand_in.py").read_text("utf-8")
# The ports that documents show. A reader may have a stack of their own on them just now.
PORT = re.compile(r"\b7[45]\d\d\b")
# By the fixture and by the reader.
MADE_OTHERWISE = frozenset({"environment.sh", ".exported"})
NOT_A_CHECKOUT = 128
# Made by running, so the reader's clone has its own.
NOT_IN_A_CLONE = frozenset({".git", "build", "dist"})


def blocks_in(document: Path) -> list[Block]:
    return blocks_of(document.read_text(encoding="utf-8"))


def executed(document: Path) -> list[Block]:
    return [block for block in blocks_in(document) if not block.not_executed_because]


def elsewhere(blocks: list[Block]) -> list[Block]:
    """The same commands on free ports; what they print is compared without its digits."""
    commands = [command for block in blocks for command in block.commands]
    shown = sorted({int(port) for one in commands for port in PORT.findall(one.text)})
    if not shown:
        return blocks
    shift = shift_to_free(range(shown[0], shown[-1] + 1))

    def moved(text: str) -> str:
        return PORT.sub(lambda port: str(int(port[0]) + shift), text)

    return [
        replace(block, commands=tuple(replace(one, text=moved(one.text)) for one in block.commands))
        for block in blocks
    ]


NOT_EXECUTED = [
    pytest.param(block, id=f"{document.relative_to(REPOSITORY)}:{block.line}")
    for document in DOCUMENTS
    for block in blocks_in(document)
    if block.not_executed_because
]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder that looks like a clone with its environment made; what is written stays in it.

    Making the environment is tested elsewhere: here it would take minutes and a network.
    """
    folder = tmp_path / "clone"
    folder.mkdir()
    for entry in REPOSITORY.iterdir():
        if entry.name not in NOT_IN_A_CLONE:
            (folder / entry.name).symlink_to(entry)
    made = folder / "environment.sh"
    made.unlink()
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A reader's environment: a home of their own, and none of the environment's commands."""
    home, tools = tmp_path / "home", tmp_path / "tools"
    home.mkdir()
    tools.mkdir()
    if shutil.which("curl") is None:
        (tools / "curl").write_text(CURL)
        (tools / "curl").chmod(0o755)
    found = [folder for folder in os.environ["PATH"].split(":") if not folder.endswith(".venv/bin")]
    return {
        "PATH": ":".join([*found, str(tools)]),
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(document, id=str(document.relative_to(REPOSITORY)))
        for document in DOCUMENTS
        if executed(document)
    ],
)
def test_a_documents_commands_print_what_it_shows(
    document: Path, clone: Path, environment: dict[str, str]
) -> None:
    with reader_in(clone, environment) as reader:
        for block in elsewhere(executed(document)):
            reader.follow(block)
        made = [entry.name for entry in clone.iterdir() if not entry.is_symlink()]
    # Whoever walks the page in a clone has nothing to tidy up before the next commit.
    assert not_ignored(set(made) - MADE_OTHERWISE) == set()


def not_ignored(names: set[str]) -> set[str]:
    """Those names at the root of a clone that git would offer to keep."""
    asked = [part for name in names for part in (name, f"{name}/")]
    git = ["git", "check-ignore", "--no-index", "--stdin"]
    answer = subprocess.run(
        git, cwd=REPOSITORY, input="\n".join(asked), capture_output=True, text=True, check=False
    )
    if answer.returncode == NOT_A_CHECKOUT:
        return set()
    return names - {line.rstrip("/") for line in answer.stdout.splitlines()}


def test_a_file_that_git_would_offer_is_found() -> None:
    assert not_ignored({"trips.csv", "carbonline-data", "people.txt"}) == {"people.txt"}


@pytest.mark.parametrize("block", NOT_EXECUTED)
def test_a_block_is_left_out_for_a_reason(block: Block) -> None:
    assert block.not_executed_because
    pytest.skip(block.not_executed_because)
