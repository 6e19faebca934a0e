"""Concurrent calls of one kind share a transaction of the store."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from carbonline import gatherer
from carbonline.postgres.errors import is_unavailable

# The callers of the transaction before are about to come again, and another one costs more than
# this wait.
LINGER_SECONDS = 0.003

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Gatherer(gatherer.Gatherer[Item, Answer]):
    """A gatherer whose callers all meet the same when the database is unavailable."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        items_max: int,
        batches_max: int = 1,
    ) -> None:
        """`work` answers at most `items_max` items, one answer each, in order."""
        super().__init__(
            work,
            items_max,
            batches_max=batches_max,
            fails_all=is_unavailable,
            linger_seconds=LINGER_SECONDS,
        )
