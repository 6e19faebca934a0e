"""Who asks the scheduler for work."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """`worker_id` is a UUID made at the process's start: a host name is no identity."""

    worker_id: str
    build_id: str
    host: str
