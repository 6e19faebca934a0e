"""Tests of a room stand in tests/<package>/<room>, those of a file beside them."""

from pathlib import Path

import pytest

from tests.tidy.tracked_files import REPOSITORY, tracked_files

PACKAGE = Path("carbonline")
TESTS = Path("tests") / PACKAGE
# Room -> why it has no tests of its own.
WITHOUT_TESTS: dict[str, str] = {"v1": "generated: tests/build compares it with the protos"}


def rooms() -> list[str]:
    return sorted(folder.name for folder in (REPOSITORY / PACKAGE).iterdir() if is_room(folder))


def is_room(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


@pytest.mark.parametrize("room", rooms())
def test_a_room_has_tests_under_its_own_name(room: str) -> None:
    tests = [path for path in tracked_files(".py") if path.parent == TESTS / room]
    assert any(path.name.startswith("test_") for path in tests) != (room in WITHOUT_TESTS)


def test_tests_stand_under_the_name_of_a_room_or_a_file() -> None:
    strays = [
        str(path)
        for path in tracked_files(".py")
        if path.is_relative_to(TESTS)
        and path.parent.name not in rooms()
        and not (REPOSITORY / PACKAGE / path.name.removeprefix("test_")).is_file()
    ]
    assert strays == []


def test_a_room_has_no_second_folder_of_tests() -> None:
    folders = {path.parts[1] for path in tracked_files(".py") if path.parts[0] == "tests"}
    assert folders.isdisjoint(rooms())
