"""What the scheduler process reads from its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carbonline.database_url import driver_url
from carbonline.serving.settings import PREFIX, SettingsReader

SWEEPS_PER_LEASE_MIN = 8


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


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment. Raises SettingsWrong with every fault in one message."""
    read = SettingsReader(environment)
    lease_seconds, beat_seconds = read.lease_and_beat()
    settings = Settings(
        database_url=driver_url(read.needed("DATABASE_URL", "postgresql://user@host/name")),
        address=read.needed("SCHEDULER_ADDRESS", "127.0.0.1:7400 or unix:/path/to/socket"),
        lease_seconds=lease_seconds,
        beat_seconds=beat_seconds,
        sweep_seconds=read.seconds("SWEEP_SECONDS", 5.0),
        token_file=read.path("TOKEN_FILE"),
        tenant=read.text("TENANT", "local"),
        log_level=read.log_level(),
        noop=read.text("NOOP") == "1",
        poll_seconds=read.seconds("POLL_SECONDS", 1.0),
        build_id=read.build_id(),
        metrics_port=read.port("METRICS_PORT"),
    )
    if settings.sweep_seconds * SWEEPS_PER_LEASE_MIN > lease_seconds:
        read.faults.append(
            f"{PREFIX}SWEEP_SECONDS ({settings.sweep_seconds:g}) must be at most an eighth of "
            f"{PREFIX}LEASE_SECONDS ({lease_seconds:g})"
        )
    read.check()
    return settings
