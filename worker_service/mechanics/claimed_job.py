"""A job that this worker has claimed, as the scheduler sent it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

# A lease is renewed so often that three heartbeats may be lost.
BEATS_PER_LEASE = 4
MARGIN_SHARE = 0.1
NOTHING: Mapping[str, Any] = MappingProxyType({})


class ClaimedJob(NamedTuple):
    """The job, its claim and what its handler needs.

    `module`, `data_entry_type`, `year`, `unit` and `reference_kind` are its scope; each is None
    where the job type takes none. The first two are numbers of the contract's enums.
    `lease_seconds` counts from before the claim was sent. `close_through` names ledger scopes that
    the handler closes, each up to a claim token, before it takes its snapshot. `attempt` counts
    from 1. `heartbeat_interval_seconds` and `commit_margin_seconds` are 0 where the scheduler does
    not say them. A tuple, because a worker claims thousands of jobs a second.
    """

    job_id: int
    pipeline_id: int
    tenant: str
    job_type: str
    claim_token: int
    lease_seconds: float
    module: int | None = None
    data_entry_type: int | None = None
    year: int | None = None
    unit: str | None = None
    reference_kind: str | None = None
    payload: Mapping[str, Any] = NOTHING
    close_through: Mapping[str, int] = NOTHING
    attempt: int = 1
    attempts_max: int = 1
    heartbeat_interval_seconds: float = 0.0
    commit_margin_seconds: float = 0.0

    @property
    def beat_seconds(self) -> float:
        """How often the claim needs a heartbeat at least."""
        return self.heartbeat_interval_seconds or self.lease_seconds / BEATS_PER_LEASE

    @property
    def margin_seconds(self) -> float:
        """The length of the last part of the lease, in which nothing is committed."""
        return self.commit_margin_seconds or self.lease_seconds * MARGIN_SHARE
