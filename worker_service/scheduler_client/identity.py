"""How a worker identifies itself to the scheduler."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """One worker process.

    `worker_id` is a UUID made when the process starts, because several workers may share a host.
    `build_id` and `host` are shown to people only. `declared_types` is the digest of the job types
    that its deployment declares, "" to have it not compared.
    """

    worker_id: str
    build_id: str
    host: str
    declared_types: str = ""
