"""What a worker says of itself, beside its claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from scheduler_service.jobs.requests import Beat


@dataclass(frozen=True, slots=True)
class Introduction:
    """What people see of a worker."""

    job_types: tuple[str, ...]
    build_id: str
    host: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One worker's Heartbeat, for jobs of these tenants. `not_ready` says why the worker claims no
    jobs, "" if it is ready; with `introduction` it makes the worker known.
    """

    worker_id: UUID
    principal: str
    tenants: tuple[str, ...]
    beats: Sequence[Beat]
    draining: bool
    not_ready: str = ""
    introduction: Introduction | None = None

    @property
    def is_last(self) -> bool:
        """Whether the worker has ended: it drains, and holds nothing any more."""
        return self.draining and not self.beats
