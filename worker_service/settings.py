"""What a worker process and the ledger process read from their environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carbonline.database_url import driver_url
from carbonline.serving.settings import SettingsReader

CONCURRENCY_MAX = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per variable: CARBONLINE_ and the field's name in capitals.

    `database_url` is the ledger's database: CARBONLINE_LEDGER_DATABASE_URL, or else
    CARBONLINE_DATABASE_URL. `job_types` empty means every type with a step but noop;
    `metrics_port` 0 serves no metrics.
    """

    database_url: str
    scheduler_address: str
    ledger_address: str
    blob_folder: Path
    lease_seconds: float
    beat_seconds: float
    token_file: Path | None
    tenant: str
    log_level: str
    build_id: str
    metrics_port: int
    concurrency: int
    job_types: tuple[str, ...]
    drain_grace_seconds: float


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment. Raises SettingsWrong with every fault in one message."""
    read = SettingsReader(environment)
    lease_seconds, beat_seconds = read.lease_and_beat()
    settings = Settings(
        database_url=driver_url(read.text("LEDGER_DATABASE_URL") or read.text("DATABASE_URL")),
        scheduler_address=read.text("SCHEDULER_ADDRESS"),
        ledger_address=read.text("LEDGER_ADDRESS"),
        blob_folder=read.path("BLOB_FOLDER") or Path("carbonline-data/blobs"),
        lease_seconds=lease_seconds,
        beat_seconds=beat_seconds,
        token_file=read.path("TOKEN_FILE"),
        tenant=read.text("TENANT", "local"),
        log_level=read.log_level(),
        build_id=read.build_id(),
        metrics_port=read.port("METRICS_PORT"),
        concurrency=read.whole("CONCURRENCY", 1, most=CONCURRENCY_MAX),
        job_types=tuple(t.strip() for t in read.text("JOB_TYPES").split(",") if t.strip()),
        drain_grace_seconds=read.seconds("DRAIN_GRACE_SECONDS", 20.0, or_none=True),
    )
    read.check()
    return settings
