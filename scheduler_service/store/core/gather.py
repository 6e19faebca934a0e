"""Gathers concurrent calls of one kind into one transaction of the store."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from carbonline import gatherer
from carbonline.postgres.errors import fails_everything

# The callers of the transaction before are about to come again, and another one costs more than
# this wait.
LINGER_SECONDS = 0.003
# An item may crash the process that serves its session. PostgreSQL then ends all others, too, and
# is back within seconds.
PATIENCE_SECONDS = 5.0

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Gatherer(gatherer.Gatherer[Item, Answer]):
    """A gatherer whose callers all meet the same when the database answers nobody. What is locked,
    takes too long or ends its session is found part by part, as every other failure is.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        items_max: int,
        batches_max: int = 1,
    ) -> None:
        """`work` answers at most `items_max` items, or those of a single call that has more, each
        with its answer or with the exception that it failed with, in order.
        """
        super().__init__(
            work,
            items_max,
            batches_max=batches_max,
            # From here on a transaction of its own costs less than the wait for the one before.
            beside_weight=items_max // 2,
            fails_all=fails_everything,
            linger_seconds=LINGER_SECONDS,
            patience_seconds=PATIENCE_SECONDS,
        )
