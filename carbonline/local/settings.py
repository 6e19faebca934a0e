"""What a local stack is made of, and where its parts find each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = "127.0.0.1"
LEASE_SECONDS = 45.0
BEATS_PER_LEASE = 4.5
SWEEPS_PER_LEASE = 9.0


@dataclass(frozen=True)
class StackSettings:
    """How to run the stack; the defaults serve a person at a laptop.

    With a `database_url` nothing of PostgreSQL is started. With ports the servers listen on
    TCP, on the loopback only, and ask for the token of a 0600 file; without, on unix sockets in
    a 0700 folder. Port 0 means any free one. `metrics_port` is the scheduler's, the ports after it
    are the ledger's and the workers'; 0 serves no metrics. `supervise` starts again what ends by
    itself.
    `environment` is added to every process as it stands.
    """

    data_folder: Path
    database_url: str | None = None
    workers: int = 2
    concurrency: int = 1
    scheduler_port: int | None = None
    ledger_port: int | None = None
    metrics_port: int = 0
    supervise: bool = False
    tenant: str = "local"
    lease_seconds: float = LEASE_SECONDS
    beat_seconds: float = LEASE_SECONDS / BEATS_PER_LEASE
    sweep_seconds: float = LEASE_SECONDS / SWEEPS_PER_LEASE
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_seconds_max: float = 60.0
    drain_seconds: float = 20.0

    @property
    def process_names(self) -> Sequence[str]:
        """Of the product's own processes: scheduler, ledger, worker-1, worker-2..."""
        return ("scheduler", "ledger", *self.worker_names)

    @property
    def worker_names(self) -> Sequence[str]:
        """worker-1, worker-2..."""
        return tuple(f"worker-{number}" for number in range(1, self.workers + 1))


@dataclass(frozen=True)
class Addresses:
    """Where the parts of one running stack are; addresses are `unix:PATH` or `host:port`."""

    database_url: str
    scheduler_address: str
    ledger_address: str
    token_file: Path | None
    tenant: str
    data_folder: Path
    blob_folder: Path
    log_folder: Path
    metrics_ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def metrics_urls(self) -> Mapping[str, str]:
        """Where Prometheus finds each process, by its name; empty when none serves metrics."""
        return {
            name: f"http://{LOOPBACK}:{port}/metrics" for name, port in self.metrics_ports.items()
        }
