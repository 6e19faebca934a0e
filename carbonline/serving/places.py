"""Places that many callers share, so that one who floods refuses only itself."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Key = TypeVar("Key")


def but_a_quarter(each_max: int) -> int:
    """What all callers of the same tenants may have of a bound that is twice that of each."""
    return (3 * each_max + 1) // 2


class NoPlace(Exception):
    """All places are taken: those of the caller, of its tenants, or of all callers together."""


class Places:
    """At most `each_max` places for one caller, and twice as many for all together: one caller
    never takes more than half, nor do all callers of the same tenants take the last quarter.
    """

    def __init__(self, each_max: int) -> None:
        """Nothing is taken."""
        self.each_max = each_max
        self._of_tenants_max = but_a_quarter(each_max)
        self._taken: Counter[str] = Counter()
        self._of_tenants: Counter[tuple[str, ...]] = Counter()

    @property
    def taken(self) -> int:
        """The places of all callers that are taken."""
        return self._taken.total()

    @contextmanager
    def one(self, caller: str, tenants: tuple[str, ...]) -> Iterator[None]:
        """One place while the context lasts, for what is about these tenants. Raises NoPlace."""
        if (
            self._taken[caller] >= self.each_max
            or self._of_tenants[tenants] >= self._of_tenants_max
            or self.taken >= 2 * self.each_max
        ):
            raise NoPlace
        self._taken[caller] += 1
        self._of_tenants[tenants] += 1
        try:
            yield
        finally:
            _less(self._taken, caller)
            _less(self._of_tenants, tenants)


def _less(counts: Counter[Key], key: Key) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
