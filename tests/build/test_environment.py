"""A machine that cannot make an environment is told why, in one sentence, with the way out."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "cat", "cmp", "sed", "rm", "grep", "date")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files that an environment is made from, in a folder whose name has a space."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in ("environment.sh", "requirements.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, folder)
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with nothing but what every machine has; no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (folder / tool).symlink_to(found)
    return folder


def add_python(tools: Path, name: str, script: str) -> None:
    (tools / name).write_text(f"#!/bin/sh\n{script}\n")
    (tools / name).chmod(0o755)


def make_environment(project: Path, tools: Path) -> str:
    """What the script says; it must fail."""
    run = subprocess.run(
        ["sh", "environment.sh", "runtime"],
        cwd=project,
        env={"PATH": str(tools), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    return run.stderr


def test_without_python_it_says_which_is_needed(project: Path, tools: Path) -> None:
    add_python(tools, "python3", "exit 1")
    assert make_environment(project, tools) == (
        "carbonline: Python 3.11 or newer is needed and none was found"
        " (looked for python3.13, python3.12, python3.11, python3).\n"
    )


@pytest.mark.parametrize(
    ("name", "package"), [("python3", "python3-venv"), ("python3.12", "python3.12-venv")]
)
def test_without_the_venv_module_it_names_the_package(
    project: Path, tools: Path, name: str, package: str
) -> None:
    add_python(tools, name, 'case "$2" in *ensurepip*) exit 1;; esac')
    assert make_environment(project, tools) == (
        f"carbonline: {name} lacks the module that makes environments: apt install {package}\n"
    )


def test_a_made_environment_is_left_alone_in_silence(project: Path, tools: Path) -> None:
    stamp = project / ".venv" / "made-from-requirements.lock"
    stamp.parent.mkdir()
    script = 'eval "$(sed -n "/^wanted() {/,/^}/p" environment.sh)"; lock=requirements.lock; wanted'
    stamp.write_bytes(subprocess.check_output(["sh", "-c", script], cwd=project))
    run = subprocess.run(
        ["sh", "environment.sh", "runtime"],
        cwd=project,
        env={"PATH": str(tools)},
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
