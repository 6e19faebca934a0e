"""Who may import whom: the contracts of pyproject.toml hold, and read as sentences."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.tidy.tracked_files import REPOSITORY

CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]


def test_rooms_import_each_other_as_declared() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [linter, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", [contract["name"] for contract in CONTRACTS])
def test_a_contract_is_named_by_a_sentence(name: str) -> None:
    assert name[0].isupper()
    assert len(name.split()) >= 5
