"""What is published is the source, whole, and nothing else of a working copy."""

import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from carbonline.extras import MODULES, Extra
from tests.package.conftest import LEFT_OVER
from tests.tidy.tracked_files import REPOSITORY, tracked_files

PACKAGES = ("carbonline", "gateway_service", "scheduler_service", "worker_service")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def files_of(sdist: Path) -> set[str]:
    """Paths below the archive's one folder."""
    with tarfile.open(sdist) as archive:
        return {one.name.partition("/")[2] for one in archive.getmembers() if one.isfile()}


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """The wheel's METADATA, as an index reads it."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def test_the_source_distribution_has_tracked_files_only(sdist: Path) -> None:
    tracked = {path.as_posix() for path in tracked_files()}
    assert files_of(sdist) - tracked == {"PKG-INFO"}
    assert files_of(sdist).isdisjoint(LEFT_OVER)


def test_the_source_distribution_lacks_no_file_that_runs(sdist: Path) -> None:
    roots = (*PACKAGES, "migrations", "protos", "examples")
    wanted = {path.as_posix() for path in tracked_files() if path.parts[0] in roots}
    assert wanted - files_of(sdist) == set()


def test_only_packages_of_our_own_are_installed(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names_in(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_has_all_that_the_code_reads(wheel: Path) -> None:
    wanted = {
        path.as_posix().replace("migrations/", "carbonline/migrations/", 1)
        if path.parts[0] == "migrations"
        else path.as_posix()
        for path in tracked_files()
        if path.parts[0] in (*PACKAGES, "migrations")
    }
    # What the demo reads; the other examples are for readers of the source.
    examples = {f"carbonline/{path.as_posix()}" for path in tracked_files()
                if path.parts[:2] == ("examples", "nyc_flights_2013")}  # fmt: skip
    generated = {f"carbonline/v1/{path.stem}_pb2.py" for path in tracked_files(".proto")}
    assert (wanted | examples | generated) - names_in(wheel) == set()
    assert names_in(wheel).isdisjoint(LEFT_OVER)


def test_the_metadata_say_what_an_index_shows(metadata: Message) -> None:
    assert metadata["Name"] == "carbonline"
    assert metadata["Summary"] == PROJECT["description"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert metadata["Author"] == "The carbonline authors"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Keywords"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert str(metadata.get_payload()).strip() == readme.strip()


def test_the_extras_of_users_are_named(metadata: Message) -> None:
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "browser",
        "build",
        "dev",
        "frames",
        "gateway",
        "local",
        "objects",
        "server",
    }


@pytest.mark.parametrize("extra", ["frames", "gateway", "objects", "server"])
def test_what_an_extra_brings_is_what_is_missed_without_it(extra: Extra) -> None:
    bring = packages_distributions()
    missed = {canonicalize_name(bring[module][0]) for module in MODULES[extra]}
    named = {
        canonicalize_name(Requirement(text).name)
        for text in PROJECT["optional-dependencies"][extra]
    }
    assert missed == named
