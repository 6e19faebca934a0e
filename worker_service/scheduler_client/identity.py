"""How a worker identifies itself to the scheduler."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """One worker process.

    `worker_id` is a UUID made when the process starts, because several workers may share a host.
    `build_id` and `host` are shown to people only.
    """

    worker_id: str
    build_id: str
    host: str
