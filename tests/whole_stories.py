"""Gives files whose tests follow each other to one process: they share what the module has made.

xdist hands out the tests in pieces of any size, and a piece may end in the middle of a file.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController

ROOT = Path(__file__).parents[1]


@cache
def is_story(file: str) -> bool:
    """Whether the tests of a file share a fixture of the module, such as a running stack."""
    return 'scope="module"' in (ROOT / file).read_text()


def whole(files: Sequence[str], size: int) -> int:
    """How many tests, of these files, are handed out for `size`, so that no story is cut."""
    while 0 < size < len(files) and files[size - 1] == files[size] and is_story(files[size]):
        size += 1
    return size


class WholeStories(LoadScheduling):  # type: ignore[misc]  # xdist is not typed
    """As --dist load."""

    def _send_tests(self, node: WorkerController, num: int) -> None:
        assert self.collection is not None, "tests are handed out after all are known"
        files = [self.collection[index].partition("::")[0] for index in self.pending]
        super()._send_tests(node, whole(files, num))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholeStories | None:
    """In place of the default; another --dist is what it says."""
    return WholeStories(config, log) if config.getvalue("dist") == "load" else None
