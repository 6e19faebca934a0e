"""Keeps one parsed sheet of a workbook at a time."""

from collections.abc import Callable
from typing import Generic, TypeVar

Sheet = TypeVar("Sheet")


class OneSheet(Generic[Sheet]):
    """The sheet that was looked at last: it is often the one to read, and parsing costs most.

    It goes before another one is parsed, since two take twice the memory.
    """

    def __init__(self, parse: Callable[[str], Sheet]) -> None:
        """`parse` reads the sheet of a name."""
        self._parse = parse
        self._kept: dict[str, Sheet] = {}

    def __call__(self, name: str) -> Sheet:
        """The sheet of this name."""
        if name not in self._kept:
            self._kept.clear()
            self._kept[name] = self._parse(name)
        return self._kept[name]
