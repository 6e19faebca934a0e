"""The tests of a module are found by its name: in tests/<package>/<room>/test_<module>.py."""

from pathlib import Path

import pytest

from tests.tidy.tracked_files import REPOSITORY, tracked_files
from tests.tidy.where_tests_are import TESTED_IN

PACKAGES = ("carbonline", "scheduler_service", "worker_service")
# Package, room -> why it has no tests of its own.
WITHOUT_TESTS = {("carbonline", "v1"): "generated: tests/build compares it with the protos"}


def rooms(package: str) -> list[str]:
    return sorted(folder.name for folder in (REPOSITORY / package).iterdir() if is_room(folder))


def is_room(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


ROOMS = [(package, room) for package in PACKAGES for room in rooms(package)]
PYTHON = tracked_files(".py")
MODULES = [
    path
    for path in PYTHON
    if path.parts[0] in PACKAGES
    and path.name != "__init__.py"
    and path.parts[:2] not in WITHOUT_TESTS
]


def named_for(module: Path) -> Path:
    """Where the tests of a module are if they have its name. Rooms within a room share a folder,
    save those that have one of their own.
    """
    own = Path("tests", *module.parent.parts, f"test_{module.name}")
    room = module.parts[1:2] if len(module.parts) > 2 else ()
    return own if own in PYTHON else Path("tests", module.parts[0], *room, f"test_{module.name}")


def test_a_module_has_tests_of_its_name_or_a_row_that_says_where_they_are() -> None:
    def has_either(module: Path) -> bool:
        elsewhere = TESTED_IN.get(str(module.parent), {}).get(module.stem)
        return (named_for(module) in PYTHON) != (elsewhere is not None)

    assert len(MODULES) > 500
    found = "\n".join(
        f"write {named_for(module)}, or name the file that tests {module} in where_tests_are.py;"
        " not both"
        for module in MODULES
        if not has_either(module)
    )
    assert not found, found


@pytest.mark.parametrize("folder", TESTED_IN)
def test_a_row_names_a_module_and_its_tests_that_are_there(folder: str) -> None:
    for module, tests in TESTED_IN[folder].items():
        assert Path(folder, f"{module}.py") in MODULES
        assert Path(tests) in PYTHON


@pytest.mark.parametrize(("package", "room"), ROOMS)
def test_a_room_has_tests_under_its_own_name(package: str, room: str) -> None:
    folder = Path("tests") / package / room
    has_tests = any(path.parent == folder and path.name.startswith("test_") for path in PYTHON)
    assert has_tests != ((package, room) in WITHOUT_TESTS)


@pytest.mark.parametrize("package", PACKAGES)
def test_tests_stand_under_the_name_of_a_room_or_a_file(package: str) -> None:
    strays = [
        str(path)
        for path in PYTHON
        if path.is_relative_to(Path("tests") / package)
        and not is_room(REPOSITORY / path.parent.relative_to("tests"))
        and not (REPOSITORY / package / path.name.removeprefix("test_")).is_file()
    ]
    assert strays == []


def test_a_room_has_no_second_folder_of_tests() -> None:
    folders = {path.parts[1] for path in PYTHON if path.parts[0] == "tests"}
    assert folders.isdisjoint(room for _, room in ROOMS)
