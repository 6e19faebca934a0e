"""PostgreSQL refuses root; whoever starts the stack, it runs, or a sentence says why not."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from carbonline.local.child_process import LAUNCHER
from carbonline.local.postgres.binaries import find_binaries

ROOT = Path(__file__).parents[3]
NO_NAMESPACES = (sys.executable, str(Path(__file__).with_name("without_user_namespaces.py")))
OPENING_SECONDS_MAX = 60

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": f"{ROOT}:{Path(asyncpg.__file__).parents[1]}",
}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to become")

OPENS = """
import asyncio, sys
from pathlib import Path
from carbonline.local.errors import LocalStackError
from carbonline.local.postgres import EmbeddedPostgres

async def main():
    try:
        server = await EmbeddedPostgres.open(Path(sys.argv[1]))
    except LocalStackError as error:
        print("refused:", error)
        return
    url = await server.create_database("kept") if sys.argv[2:] else ""
    print("kept:", await server.has_database("kept"), "as:", server.child.identity)
    print("program:", server.child.command[0])
    await server.close()

asyncio.run(main())
"""


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that every user can pass through; pytest's own are root's."""
    folder = Path(tempfile.mkdtemp(prefix="carbonline-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def opening(
    folder: Path,
    *arguments: str,
    before: tuple[str, ...] = (),
    python: str = sys.executable,
) -> str:
    ran = subprocess.run(
        [*before, python, "-c", OPENS, str(folder), *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=OPENING_SECONDS_MAX,
        check=False,
    )
    if ran.returncode == 77:
        pytest.skip("user namespaces are not allowed here")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def as_user(user: pwd.struct_passwd) -> tuple[str, ...]:
    identity = f"user:{user.pw_uid}:{user.pw_gid}"
    return (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), "9", identity, "0")


def python_for(user: pwd.struct_passwd) -> str:
    """This interpreter, or the system's of the same version when only root can reach this one."""
    system = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin") or sys.executable
    for python in (sys.executable, system):
        command = [*as_user(user), python, "-c", "import carbonline, asyncpg"]
        if subprocess.run(command, env=ENVIRONMENT, check=False).returncode == 0:
            return python
    pytest.skip("a normal user can reach no interpreter of this version")


def test_a_normal_user_runs_it_as_itself(reachable: Path) -> None:
    user = pwd.getpwnam("nobody")
    python = python_for(user)
    os.chown(reachable, user.pw_uid, user.pw_gid)
    said = opening(reachable, "create", before=as_user(user), python=python)
    assert "kept: True as: same" in said
    # And root keeps to the owner of what it finds.
    assert f"kept: True as: user:{user.pw_uid}:" in opening(reachable)


def test_root_without_user_namespaces_runs_it_as_a_normal_user(reachable: Path) -> None:
    assert "kept: True as: user:" in opening(reachable, "create", before=NO_NAMESPACES)
    assert "kept: True as: user:" in opening(reachable, before=NO_NAMESPACES)


def test_programs_that_a_normal_user_cannot_reach_are_copied(reachable: Path) -> None:
    hidden = reachable / "hidden"
    hidden.mkdir(mode=0o700)
    binaries = find_binaries({})
    package = binaries.folder.parents[1]
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.with_name(name), hidden / name, symlinks=True)
    before = (
        *NO_NAMESPACES,
        "env",
        f"PGBIN={hidden / package.name / Path(*binaries.folder.parts[-2:])}",
    )
    said = opening(reachable / "stack", "create", before=before)
    assert "kept: True as: user:" in said
    assert f"program: {reachable}/stack/programs/" in said


def test_a_folder_that_no_normal_user_reaches_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    said = opening(tmp_path / "stack", before=NO_NAMESPACES)
    assert said.startswith("refused:")
    assert "Choose a data folder that" in said
