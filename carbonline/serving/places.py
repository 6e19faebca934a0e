"""Places that many callers share, so that one who floods refuses only itself."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class NoPlace(Exception):
    """All places are taken: those of the caller, or those of all callers together."""


class Places:
    """At most `each_max` places for one caller, and twice as many for all together: one caller
    never takes more than half.
    """

    def __init__(self, each_max: int) -> None:
        """Nothing is taken."""
        self.each_max = each_max
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """The places of all callers that are taken."""
        return self._taken.total()

    @contextmanager
    def one(self, caller: str) -> Iterator[None]:
        """One place while the context lasts. Raises NoPlace."""
        if self._taken[caller] >= self.each_max or self.taken >= 2 * self.each_max:
            raise NoPlace
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
