"""The page about adding a data-entry type is followed in a copy of the code, to the kilograms."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.documented_commands import blocks_of
from tests.docs.reader import reader_in
from tests.docs.test_documented_commands import REPOSITORY, elsewhere

PAGE = REPOSITORY / "docs" / "adding_a_type.md"
# What the page changes, and what is imported beside it.
COPIED = (
    *("carbonline", "gateway_service", "scheduler_service", "worker_service"),
    *("docs", "examples", "migrations", "protos", "tests"),
    *("Makefile", "pyproject.toml", "requirements.lock"),
)
LINE = re.compile(r"```proto\n(?P<text>.*?)```", re.DOTALL)
FILE = re.compile(r"`(?P<path>[\w/]+\.(?:py|yaml))`:\n\n```\w+\n(?P<text>.*?)```", re.DOTALL)
ENUM = re.compile(r"(?<=enum DataEntryType {\n).*?(?=^}$)", re.DOTALL | re.MULTILINE)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the code, whose commands run the copy."""
    folder = tmp_path / "clone"
    for name in COPIED:
        entry = REPOSITORY / name
        if entry.is_dir():
            shutil.copytree(entry, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(entry, folder / name)
    (folder / "environment.sh").write_text("#!/bin/sh\n")
    (folder / "environment.sh").chmod(0o755)
    commands = folder / ".venv" / "bin"
    commands.mkdir(parents=True)
    for name, words in (("python", ""), ("carbonline", " -m carbonline.program")):
        script = commands / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
        script.chmod(0o755)
    return folder


def follow_the_edits(folder: Path) -> list[str]:
    """Writes the line and the files of the page. Returns the files' paths."""
    page = PAGE.read_text(encoding="utf-8")
    contract = folder / "protos" / "carbonline" / "v1" / "types.proto"
    [line] = LINE.findall(page)
    before = contract.read_text(encoding="utf-8")
    after, count = ENUM.subn(lambda values: values[0] + line, before)
    assert count == 1
    contract.write_text(after, encoding="utf-8")
    files = list(FILE.finditer(page))
    for file in files:
        path = folder / file["path"]
        assert not path.exists()
        path.write_text(file["text"], encoding="utf-8")
    return [file["path"] for file in files]


def test_one_line_and_one_file_take_a_new_type_from_a_file_to_kilograms(
    clone: Path, tmp_path: Path
) -> None:
    code, examples = follow_the_edits(clone)
    assert code.startswith("worker_service/carbon/catalogue/")
    assert examples.startswith("tests/")
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(clone),
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }
    with reader_in(clone, environment) as reader:
        for block in elsewhere(blocks_of(PAGE.read_text(encoding="utf-8"))):
            reader.follow(block)
        totals = subprocess.run(
            [".venv/bin/carbonline", "totals", "--year", "2024", "--by", "module", "--json"],
            cwd=clone,
            env={**environment, "CARBONLINE_DATA_FOLDER": "adding-data"},
            capture_output=True,
            text=True,
            check=True,
        )
    assert json.loads(totals.stdout)["total"]["total_kg"] == 1000
