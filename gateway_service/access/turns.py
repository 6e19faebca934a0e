"""Who may begin in a turn of the loop."""

import asyncio
from collections import deque
from collections.abc import Callable

# A turn in which so many begin takes some milliseconds. Within it the loop looks at no connection.
BEGIN_MAX = 16


class Turns:
    """Lets at most `most` begin in a turn of the loop, in the order in which they came: as long as
    a turn lasts, nothing new is read or accepted.
    """

    def __init__(self, most: int = BEGIN_MAX) -> None:
        """Nobody has begun."""
        self._most = most
        self._begun = 0
        self._line: deque[Callable[[], None]] = deque()
        self._is_next_sure = False

    def begin(self, work: Callable[[], None]) -> None:
        """Does the work now, or in a later turn if others came before."""
        if self._line or self._begun >= self._most:
            self._line.append(work)
        else:
            self._do(work)

    def _do(self, work: Callable[[], None]) -> None:
        self._begun += 1
        if not self._is_next_sure:
            self._is_next_sure = True
            asyncio.get_running_loop().call_soon(self._next)
        work()

    def _next(self) -> None:
        """A turn begins."""
        self._begun = 0
        self._is_next_sure = False
        while self._line and self._begun < self._most:
            self._do(self._line.popleft())
