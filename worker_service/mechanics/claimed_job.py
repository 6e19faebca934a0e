"""A job in this worker's hands, as the scheduler gave it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

NOTHING: Mapping[str, Any] = MappingProxyType({})


class ClaimedJob(NamedTuple):
    """The job, its claim and what its handler needs. A tuple, since thousands come in a second.

    Scope parts are None where the job type takes none; `module` and `data_entry_type` are the
    numbers of the contract's enums. `close_through` names ledger scopes that the handler closes,
    each up to its token, before its snapshot. `attempt` counts from 1.
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
