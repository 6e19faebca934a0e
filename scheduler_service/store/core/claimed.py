"""A job that a worker has just claimed."""

from collections.abc import Mapping
from typing import NamedTuple

from scheduler_service.store.core.rows import ShownJobRow


class ClaimedJobRow(ShownJobRow):
    """A claimed job; `number` is the place of the claim request in its batch, from 1."""

    __slots__ = ()
    number: int
    claim_token: int


class Claimed(NamedTuple):
    """A job in a worker's hands: `close_through` has an in-doubt token per ledger scope it reads.
    `leaves_some`: others may have been claimable, too, when it was taken.

    A tuple, as FinishRequest is: thousands are made in a second.
    """

    row: ClaimedJobRow
    claim_token: int
    lease_seconds: float
    close_through: Mapping[str, int]
    leaves_some: bool
