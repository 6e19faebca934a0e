"""How many connections each pool may have: settings know it without a driver."""

from dataclasses import dataclass

READ_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSizes:
    """The largest number of connections of each pool; `read_seconds` bounds a statement of a read.

    `leases` and `sweeps` fit what uses them: of each kind of work so many batches are on their way
    at once, or one, so that none of it waits for a connection.
    """

    leases: int = 8
    calls: int = 4
    reads: int = 3
    sweeps: int = 5
    read_seconds: float = READ_SECONDS
