"""A stack of its own, into which the university is seeded once."""

from collections.abc import Iterator

import pytest

from tests.cases.conftest import Terminal, terminal_beside_a_stack
from tests.university.plain_account import FOLDER


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a running stack that has examples/university."""
    with terminal_beside_a_stack(tmp_path_factory.mktemp("university")) as terminal:
        typed = terminal.type("seed", FOLDER)
        assert typed.code == 0, typed
        assert "2024: 1,307,740.968 kg CO2eq over 15 units." in typed.out
        yield terminal
