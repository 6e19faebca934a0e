"""The processes of a stack as data: command, environment, and how each shows that it is ready."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from carbonline.local.settings import Addresses, StackSettings

# Other CARBONLINE_ variables of the caller's shell are about another stack.
KEPT_VARIABLES = frozenset(
    {
        "CARBONLINE_LOG_LEVEL",
        "CARBONLINE_BUILD_ID",
        "CARBONLINE_GATEWAY_HOSTS",
        "CARBONLINE_GATEWAY_PROXIES",
        "CARBONLINE_GATEWAY_STREAMS_OF_ADDRESS_MAX",
        "CARBONLINE_JOB_TYPES_FILE",
    }
)
# What the workers ask for rows is of the institution, not of a stack.
KEPT_PREFIXES = ("CARBONLINE_TRAVEL_API_", "CARBONLINE_UNIT_DIRECTORY_")
PREFIX = "CARBONLINE_"
AFTER_DRAIN_SECONDS = 10.0


@dataclass(frozen=True)
class AnswersServing:
    """Ready when the gRPC health service of this address says SERVING."""

    address: str


@dataclass(frozen=True)
class LogsEvent:
    """Ready when this event is in the log of the process."""

    event: str


Readiness: TypeAlias = AnswersServing | LogsEvent


@dataclass(frozen=True)
class Program:
    """One process of the stack.

    Processes of one `rank` start together, lower ranks first. A process that has not ended
    `stop_seconds_max` after SIGTERM is killed. `variables` are settings of this process alone,
    by name without the prefix.
    """

    name: str
    command: Sequence[str]
    ready: Readiness
    rank: int
    stop_seconds_max: float = 10.0
    variables: Mapping[str, str] = field(default_factory=dict)


def product_programs(settings: StackSettings, addresses: Addresses) -> Sequence[Program]:
    """The ledger process, and as many schedulers, workers and gateways as the settings say."""
    # -P: do not import from the current folder.
    python = (sys.executable, "-P", "-m")
    return (
        *(
            Program(
                name=name,
                command=(*python, "scheduler_service"),
                ready=AnswersServing(address),
                rank=1,
                variables={"SCHEDULER_ADDRESS": address},
            )
            for name, address in zip(
                settings.scheduler_names, addresses.scheduler_addresses, strict=True
            )
        ),
        Program(
            name="ledger",
            command=(*python, "worker_service", "ledger"),
            ready=AnswersServing(addresses.ledger_address),
            rank=1,
        ),
        *(
            Program(
                name=name,
                command=(*python, "worker_service"),
                ready=LogsEvent("worker_started"),
                rank=2,
                stop_seconds_max=settings.drain_seconds + AFTER_DRAIN_SECONDS,
            )
            for name in settings.worker_names
        ),
        *(
            Program(
                name=name,
                command=(*python, "gateway_service"),
                ready=LogsEvent("gateway_started"),
                rank=2,
            )
            for name in settings.gateway_names
        ),
    )


def _place_of_blobs(addresses: Addresses) -> str:
    """The object store that the environment names, else the folder of the stack."""
    named = os.environ.get(f"{PREFIX}BLOB_FOLDER", "")
    return named if "://" in named else str(addresses.blob_folder)


def program_environment(
    settings: StackSettings, addresses: Addresses, program: Program
) -> dict[str, str]:
    """The complete environment of one process."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) or name in KEPT_VARIABLES or name.startswith(KEPT_PREFIXES)
    }
    variables = {
        "DATABASE_URL": addresses.database_url,
        "LEDGER_DATABASE_URL": addresses.database_url,
        "SCHEDULER_ADDRESS": addresses.scheduler_address,
        "LEDGER_ADDRESS": addresses.ledger_address,
        "GATEWAY_ADDRESS": addresses.gateway_address,
        "BLOB_FOLDER": _place_of_blobs(addresses),
        "LEASE_SECONDS": f"{settings.lease_seconds:g}",
        "BEAT_SECONDS": f"{settings.beat_seconds:g}",
        "SWEEP_SECONDS": f"{settings.sweep_seconds:g}",
        "CONCURRENCY": str(settings.concurrency),
        "TENANT": settings.tenant,
        "DRAIN_GRACE_SECONDS": f"{settings.drain_seconds:g}",
        "METRICS_PORT": str(addresses.metrics_ports.get(program.name, 0)),
        **program.variables,
    }
    if addresses.token_file is not None:
        variables["TOKEN_FILE"] = str(addresses.token_file)
    prefixed = {PREFIX + name: value for name, value in variables.items()}
    return {**inherited, **prefixed, **settings.environment}
