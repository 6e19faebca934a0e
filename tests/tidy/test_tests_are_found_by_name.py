"""Tests of a room stand in tests/<package>/<room>, those of a file beside them."""

from pathlib import Path

import pytest

from tests.tidy.tracked_files import REPOSITORY, tracked_files

PACKAGES = ("carbonline", "worker_service")
# Package, room -> why it has no tests of its own.
WITHOUT_TESTS = {("carbonline", "v1"): "generated: tests/build compares it with the protos"}


def rooms(package: str) -> list[str]:
    return sorted(folder.name for folder in (REPOSITORY / package).iterdir() if is_room(folder))


def is_room(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


ROOMS = [(package, room) for package in PACKAGES for room in rooms(package)]


@pytest.mark.parametrize(("package", "room"), ROOMS)
def test_a_room_has_tests_under_its_own_name(package: str, room: str) -> None:
    folder = Path("tests") / package / room
    tests = [path for path in tracked_files(".py") if path.parent == folder]
    has_tests = any(path.name.startswith("test_") for path in tests)
    assert has_tests != ((package, room) in WITHOUT_TESTS)


@pytest.mark.parametrize("package", PACKAGES)
def test_tests_stand_under_the_name_of_a_room_or_a_file(package: str) -> None:
    strays = [
        str(path)
        for path in tracked_files(".py")
        if path.is_relative_to(Path("tests") / package)
        and path.parent.name not in rooms(package)
        and not (REPOSITORY / package / path.name.removeprefix("test_")).is_file()
    ]
    assert strays == []


def test_a_room_has_no_second_folder_of_tests() -> None:
    folders = {path.parts[1] for path in tracked_files(".py") if path.parts[0] == "tests"}
    assert folders.isdisjoint(room for _, room in ROOMS)
