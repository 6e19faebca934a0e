"""What the scheduler process reads from its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carbonline.postgres.url import driver_url
from carbonline.serving.declared_settings import (
    BEAT_SECONDS,
    BUILD_ID,
    LEASE_SECONDS,
    LOG_LEVEL,
    METRICS_PORT,
    PREFIX,
    TENANT,
    TOKEN_FILE,
    Setting,
    seconds,
)
from carbonline.serving.settings import SettingsReader
from scheduler_service.jobs.job_types import enabled_job_types

SWEEPS_PER_LEASE_MIN = 8

DATABASE_URL = Setting(
    "DATABASE_URL",
    "a URL of PostgreSQL, 15 to 18",
    "The database with the schema `scheduler`; `carbonline migrate` creates it.",
    example="postgresql://user@host/name",
)
ADDRESS = Setting(
    "SCHEDULER_ADDRESS",
    "unix:PATH, or a loopback address with a port",
    "Where the scheduler listens. A port requires TOKEN_FILE.",
    example="127.0.0.1:7400 or unix:/path/to/socket",
)
SWEEP_SECONDS = seconds(
    "SWEEP_SECONDS",
    "5",
    "The time between two sweeps, which find expired leases and due retries; at most an eighth of "
    "LEASE_SECONDS.",
)
POLL_SECONDS = seconds(
    "POLL_SECONDS", "1", "How often a waiting claim looks for jobs when no notification comes."
)
NOOP = Setting("NOOP", "1 or nothing", "1 allows jobs of the type noop, for tests and benchmarks.")
SETTINGS = (
    DATABASE_URL,
    ADDRESS,
    TOKEN_FILE,
    TENANT,
    LEASE_SECONDS,
    BEAT_SECONDS,
    SWEEP_SECONDS,
    POLL_SECONDS,
    METRICS_PORT,
    LOG_LEVEL,
    BUILD_ID,
    NOOP,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per variable: CARBONLINE_ and the field's name in capitals.

    `address` is CARBONLINE_SCHEDULER_ADDRESS: "unix:PATH" or "host:port". `metrics_port` 0 serves
    no metrics. No variables are the last three; `drain_grace_seconds` and what ends behind it fit
    into the ten seconds that a local stack waits for the end.
    """

    database_url: str
    address: str
    lease_seconds: float = 45.0
    beat_seconds: float = 10.0
    sweep_seconds: float = 5.0
    token_file: Path | None = None
    tenant: str = "local"
    log_level: str = "info"
    noop: bool = False
    poll_seconds: float = 1.0
    build_id: str = "unknown"
    metrics_port: int = 0
    keepalive_seconds: float = 10.0
    watch_seconds_max: float = 3600.0
    drain_grace_seconds: float = 7.0

    @property
    def job_types(self) -> tuple[str, ...]:
        """The job types that clients may name."""
        return enabled_job_types(noop=self.noop)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment. Raises SettingsWrong with every fault in one message."""
    read = SettingsReader(environment)
    lease_seconds, beat_seconds = read.lease_and_beat()
    settings = Settings(
        database_url=driver_url(read.needed(DATABASE_URL)),
        address=read.needed(ADDRESS),
        lease_seconds=lease_seconds,
        beat_seconds=beat_seconds,
        sweep_seconds=read.seconds(SWEEP_SECONDS),
        token_file=read.path(TOKEN_FILE),
        tenant=read.text(TENANT),
        log_level=read.log_level(),
        noop=read.text(NOOP) == "1",
        poll_seconds=read.seconds(POLL_SECONDS),
        build_id=read.build_id(),
        metrics_port=read.port(),
    )
    if settings.sweep_seconds * SWEEPS_PER_LEASE_MIN > lease_seconds:
        read.faults.append(
            f"{PREFIX}SWEEP_SECONDS ({settings.sweep_seconds:g}) must be at most an eighth of "
            f"{PREFIX}LEASE_SECONDS ({lease_seconds:g})"
        )
    read.check()
    return settings
