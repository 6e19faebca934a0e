"""Environments that hold a wheel and what it asks for, linked from the one that runs the tests."""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SECONDS_MAX = 120.0


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment of its own; `packages` are the distributions in it, carbonline aside."""

    folder: Path
    packages: frozenset[str]

    def run(
        self, *words: str | Path, cwd: Path, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command of the environment to its end, with nothing else in its variables."""
        command = self.folder / "bin" / words[0]
        return subprocess.run(
            [command, *map(str, words[1:])],
            cwd=cwd,
            env={"PATH": os.defpath, "HOME": str(cwd), **(environment or {})},
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
        )


def make_environment(folder: Path, wheel: Path, extras: Iterable[str]) -> Environment:
    """What pip would make of the wheel with these extras, in a second and without a network."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--no-compile", str(wheel)], check=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    wanted = needed_by(wheel_requirements(site), frozenset(extras))
    for name in wanted:
        link_distribution(metadata.distribution(name), site)
    return Environment(folder, frozenset(wanted))


def wheel_requirements(site: Path) -> list[Requirement]:
    """What the installed wheel asks for."""
    (installed,) = metadata.distributions(name="carbonline", path=[str(site)])
    return [Requirement(text) for text in installed.requires or ()]


def needed_by(requirements: Iterable[Requirement], extras: frozenset[str]) -> set[str]:
    """Names of all distributions that these requirements bring, over as many steps as it takes."""
    asked: set[tuple[str, frozenset[str]]] = set()
    waiting = [("carbonline", extras)]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in asked:
            continue
        asked.add((name, wanted))
        theirs = requirements if name == "carbonline" else requirements_of(name)
        waiting.extend(
            (canonicalize_name(one.name), frozenset(one.extras))
            for one in theirs
            if is_wanted(one, wanted)
        )
    return {name for name, _ in asked} - {"carbonline"}


def requirements_of(name: str) -> list[Requirement]:
    """What an installed distribution asks for."""
    return [Requirement(text) for text in metadata.requires(name) or ()]


def is_wanted(requirement: Requirement, extras: Iterable[str]) -> bool:
    """Whether the requirement holds on this machine, with one of these extras or without any."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def link_distribution(distribution: metadata.Distribution, site: Path) -> None:
    """Links what stands at the top of the distribution's folder; scripts are left out."""
    for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
        source = Path(str(distribution.locate_file(top))).resolve()
        if source.is_dir() and not source.name.endswith(".dist-info"):
            link_package(source, distribution, site)
        else:
            (site / top).symlink_to(source)


def link_package(source: Path, distribution: metadata.Distribution, site: Path) -> None:
    """Links a package whole, one that several distributions fill part by part."""
    if (source / "__init__.py").exists():
        (site / source.name).symlink_to(source)
        return
    (site / source.name).mkdir(exist_ok=True)
    parts = {file.parts[1] for file in distribution.files or () if file.parts[0] == source.name}
    for part in parts:
        (site / source.name / part).symlink_to(source / part)
