"""The settings of a local stack, and the addresses of its processes."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = "127.0.0.1"
LEASE_SECONDS = 45.0
BEATS_PER_LEASE = 4.5
SWEEPS_PER_LEASE = 9.0
# So that short jobs pass large ones. A worker's own default is the same.
CONCURRENCY = 4
# Beside a worker PostgreSQL needs as much of the machine. With more of them, its 100 connections
# would not do for all.
WORKERS_MIN, WORKERS_MAX = 2, 4


def workers_for(cores: int) -> int:
    """How many workers suit a machine that also runs PostgreSQL."""
    return min(WORKERS_MAX, max(WORKERS_MIN, cores // 2))


def usable_cores() -> int:
    """The cores on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class StackSettings:
    """How to run a stack. The defaults suit a laptop.

    `database_url`: use this PostgreSQL instead of starting one. `scheduler_port`, `ledger_port`:
    listen on TCP, on the loopback interface only, and require the token of a 0600 file; 0 means any
    free port. Several schedulers take consecutive ports. Without ports, servers listen on unix
    sockets in a 0700 folder. `gateway_port`: serve HTTP and the console there, on the loopback
    interface only, to whoever has the token of the file; 0 means any free port, None no gateway.
    `metrics_port`: the first scheduler serves metrics there, the other
    processes on the ports after it; 0 serves none.
    `supervise`: restart processes that end by themselves. `environment` is added to that of every
    process. `drain_seconds`: how long running jobs may go on when the stack stops.
    """

    data_folder: Path
    database_url: str | None = None
    schedulers: int = 1
    workers: int = WORKERS_MIN
    concurrency: int = CONCURRENCY
    scheduler_port: int | None = None
    ledger_port: int | None = None
    gateway_port: int | None = None
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
        """The names of all processes but PostgreSQL: scheduler, ledger, worker-1, worker-2..."""
        return (*self.scheduler_names, "ledger", *self.worker_names, *self.gateway_names)

    @property
    def scheduler_names(self) -> Sequence[str]:
        """scheduler; or scheduler-1, scheduler-2... if there are several."""
        if self.schedulers == 1:
            return ("scheduler",)
        return tuple(f"scheduler-{number}" for number in range(1, self.schedulers + 1))

    @property
    def worker_names(self) -> Sequence[str]:
        """The names of the workers: worker-1, worker-2..."""
        return tuple(f"worker-{number}" for number in range(1, self.workers + 1))

    @property
    def gateway_names(self) -> Sequence[str]:
        """gateway, if there is one."""
        return () if self.gateway_port is None else ("gateway",)


@dataclass(frozen=True)
class Addresses:
    """Where to find the parts of a running stack. Addresses are `unix:PATH` or `host:port`.

    `scheduler_address` names all schedulers, separated by commas. `gateway_address` is empty
    without a gateway.
    """

    database_url: str
    scheduler_address: str
    ledger_address: str
    token_file: Path | None
    tenant: str
    data_folder: Path
    blob_folder: Path
    log_folder: Path
    metrics_ports: Mapping[str, int] = field(default_factory=dict)
    gateway_address: str = ""

    @property
    def console_url(self) -> str:
        """Where the gateway serves the console; empty without a gateway."""
        return f"http://{self.gateway_address}/" if self.gateway_address else ""

    @property
    def scheduler_addresses(self) -> Sequence[str]:
        """The address of each scheduler."""
        return self.scheduler_address.split(",")

    @property
    def metrics_urls(self) -> Mapping[str, str]:
        """The metrics URL of each process, by name. Empty if none serves metrics."""
        return {
            name: f"http://{LOOPBACK}:{port}/metrics" for name, port in self.metrics_ports.items()
        }
