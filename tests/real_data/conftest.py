"""Data of real institutions, from a folder that is not part of the product; without it, skipped."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.conftest import Terminal, terminal_beside_a_stack

VARIABLE = "REAL_DATA"
UNIT = "0828"


class RealData:
    """The folder with the files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, name: str) -> Path:
        """A file of the folder; the test is skipped without it."""
        path = self._folder / name
        if not path.exists():
            pytest.skip(f"{VARIABLE} names a folder without {name}")
        return path

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of a file in UTF-8."""
        with self.file(name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def real_data() -> RealData:
    """The folder that the environment names."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"real data is tried with {VARIABLE}=FOLDER; see CONTRIBUTING.md")
    return RealData(Path(folder))


@pytest.fixture(scope="session")
def terminal(real_data: RealData, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack of its own, without anything loaded."""
    with terminal_beside_a_stack(tmp_path_factory.mktemp("real_data")) as one:
        yield one


@pytest.fixture
def year(terminal: Terminal, request: pytest.FixtureRequest) -> int:
    """A year of the test's own, with one unit."""
    units = terminal.folder / "units.csv"
    units.write_text(f"unit_institutional_id,name\n{UNIT},Unit {UNIT}\n")
    tests = [item.nodeid for item in request.session.items]
    own = 1991 + tests.index(request.node.nodeid) % 100
    assert terminal.type("load", "units", units, "--year", str(own)).code == 0
    return own
