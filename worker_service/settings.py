"""The settings of a worker process and of the ledger process, read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from carbonline.client.addresses import target_of
from carbonline.client.tls_files import TlsFiles, tls_files
from carbonline.extras import lacks
from carbonline.serving.auth.token_settings import (
    TOKEN_SETTINGS,
    TokenSettings,
    read_token_settings,
)
from carbonline.serving.call_limits import CallLimits
from carbonline.serving.client_tls_settings import (
    CLIENT_TLS_SETTINGS,
    calls_with_tls,
    read_client_tls,
)
from carbonline.serving.config_file import CONFIG_FILE
from carbonline.serving.declared_job_types import (
    JOB_TYPES_FILE,
    NONE_DECLARED,
    DeclaredJobTypes,
    declared_job_types,
)
from carbonline.serving.declared_settings import (
    BEAT_SECONDS,
    BUILD_ID,
    CALLS_MAX,
    CALLS_MEBIBYTES_MAX,
    CLIENT_CONNECTIONS_MAX,
    CONNECTION_SECONDS_MAX,
    LEASE_SECONDS,
    LOG_LEVEL,
    METRICS_HOST,
    METRICS_PORT,
    RECEIVE_SECONDS,
    RETENTION,
    RETENTION_DAYS,
    TENANT,
    TOKEN_FILE,
    Setting,
    file_of,
    seconds,
)
from carbonline.serving.metrics_address import MetricsAddress
from carbonline.serving.settings import SettingsReader
from carbonline.serving.tls_settings import TLS_SETTINGS, TlsSettings, read_tls_settings
from worker_service.blobs.object_urls import fault_of_url, is_url
from worker_service.provider_settings import (
    PROVIDER_SETTINGS,
    travel_api_access,
    unit_directory_access,
)
from worker_service.providers.access import TravelApiAccess, UnitDirectoryAccess

Role: TypeAlias = Literal["worker", "ledger"]

CONCURRENCY_MAX = 1000
NOOP = "noop"

LEDGER_DATABASE_URL = Setting(
    "LEDGER_DATABASE_URL",
    "a URL of PostgreSQL, 15 to 18",
    "The database with the schema `carbon`; `carbonline migrate` creates it. If it is not set, "
    "DATABASE_URL is used.",
    example="postgresql://user@host/name",
)
DATABASE_URL = Setting(
    "DATABASE_URL",
    "a URL of PostgreSQL, 15 to 18",
    "Used if LEDGER_DATABASE_URL is not set.",
)
SCHEDULER_ADDRESS = Setting(
    "SCHEDULER_ADDRESS",
    "unix:PATH or host:port, or several separated by commas",
    "The address of the scheduler. If it names several, or a host's name stands for several, "
    "calls go to each in turn.",
    example="127.0.0.1:7400 or unix:/path/to/socket",
)
LEDGER_ADDRESS = Setting(
    "LEDGER_ADDRESS",
    "unix:PATH or host:port",
    "Where the ledger process listens. A port requires TOKEN_FILE or JWT_KEYS, and TLS "
    "if it is not a loopback address.",
    example="127.0.0.1:7401 or unix:/path/to/socket",
)
BLOB_FOLDER = Setting(
    "BLOB_FOLDER",
    "a path, or a URL: s3://bucket/prefix, gs://bucket/prefix, az://container/prefix",
    "Where uploaded files are; the same for the ledger process and all workers. An object store "
    "needs the extra `objects`, and takes its credentials from the environment.",
    default="carbonline-data/blobs",
)
CONCURRENCY = Setting(
    "CONCURRENCY",
    f"a whole number from 1 to {CONCURRENCY_MAX}",
    "How many jobs the worker runs at once. They share one core, so that short ones need not wait "
    "for large ones. Each takes up to two connections to PostgreSQL, and some 25 MB for a large "
    "file.",
    default="4",
    unit="jobs",
)
JOB_TYPES = Setting(
    "JOB_TYPES",
    "names separated by commas",
    "The job types that the worker claims; by default every type that uses the ledger, and those "
    "whose handlers are installed.",
)
DRAIN_GRACE_SECONDS = seconds(
    "DRAIN_GRACE_SECONDS",
    "20",
    "How long running work may continue after SIGTERM; then jobs are released.",
    or_none=True,
)
_SHARED = (
    TOKEN_FILE,
    TENANT,
    DRAIN_GRACE_SECONDS,
    METRICS_PORT,
    METRICS_HOST,
    LOG_LEVEL,
    BUILD_ID,
    CONFIG_FILE,
)
SETTINGS: Mapping[Role, tuple[Setting, ...]] = MappingProxyType(
    {
        "worker": (
            LEDGER_DATABASE_URL,
            file_of(LEDGER_DATABASE_URL),
            DATABASE_URL,
            file_of(DATABASE_URL),
            SCHEDULER_ADDRESS,
            *CLIENT_TLS_SETTINGS,
            BLOB_FOLDER,
            CONCURRENCY,
            JOB_TYPES,
            JOB_TYPES_FILE,
            LEASE_SECONDS,
            BEAT_SECONDS,
            RETENTION,
            *_SHARED,
            *PROVIDER_SETTINGS,
        ),
        "ledger": (
            LEDGER_DATABASE_URL,
            file_of(LEDGER_DATABASE_URL),
            DATABASE_URL,
            file_of(DATABASE_URL),
            LEDGER_ADDRESS,
            BLOB_FOLDER,
            CLIENT_CONNECTIONS_MAX,
            CONNECTION_SECONDS_MAX,
            CALLS_MAX,
            CALLS_MEBIBYTES_MAX,
            RECEIVE_SECONDS,
            *TOKEN_SETTINGS,
            *TLS_SETTINGS,
            *_SHARED,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per variable: CARBONLINE_ and the field's name in capitals.

    `database_url` is the ledger's database: CARBONLINE_LEDGER_DATABASE_URL, or else
    CARBONLINE_DATABASE_URL. `job_types` empty means every type with a step but noop;
    `metrics` is METRICS_HOST and METRICS_PORT.
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
    metrics: MetricsAddress
    concurrency: int
    job_types: tuple[str, ...]
    drain_grace_seconds: float
    connection_seconds_max: float
    client_connections_max: int
    call_limits: CallLimits
    retention_days: float = RETENTION_DAYS
    # The object store of blobs; "" if they are in the folder.
    blob_url: str = ""
    travel_api: TravelApiAccess | None = None
    unit_directory: UnitDirectoryAccess | None = None
    declared: DeclaredJobTypes = NONE_DECLARED
    tokens: TokenSettings | None = None
    tls: TlsSettings | None = None
    behind_mesh: bool = False
    scheduler_tls: TlsFiles | None = None

    @property
    def knows_callers(self) -> bool:
        """Whether callers of a port can say who they are."""
        by_certificate = self.tls is not None and self.tls.callers is not None
        return self.token_file is not None or self.tokens is not None or by_certificate

    @property
    def is_encrypted(self) -> bool:
        """Whether a port may be open to the network."""
        return self.tls is not None or self.behind_mesh

    @property
    def fault_of_address(self) -> str:
        """Why a server must not listen on its address; "" if it may."""
        # It imports grpc, which reads the environment then: a process sets that after its settings.
        from carbonline.serving.listening import fault_of_address  # noqa: PLC0415

        return fault_of_address(
            LEDGER_ADDRESS.variable,
            self.ledger_address,
            knows_callers=self.knows_callers,
            is_encrypted=self.is_encrypted,
        )


def read_settings(environment: Mapping[str, str] = os.environ, role: Role = "worker") -> Settings:
    """Reads the settings of a role. Raises SettingsWrong, whose message names every fault."""
    read = SettingsReader(environment)
    job_types = tuple(t.strip() for t in read.text(JOB_TYPES).split(",") if t.strip())
    needs_ledger = role == "ledger" or set(job_types) != {NOOP}
    database_url = read.database_url(LEDGER_DATABASE_URL) or read.database_url(DATABASE_URL)
    if needs_ledger and not database_url:
        read.needed(LEDGER_DATABASE_URL)
    if role == "worker":
        _check_scheduler_address(read)
    else:
        read.needed(LEDGER_ADDRESS)
    lease_seconds, beat_seconds = read.lease_and_beat()
    tls, behind_mesh = read_tls_settings(read) if role == "ledger" else (None, False)
    blob_folder, blob_url = _blobs(read)
    settings = Settings(
        database_url=database_url,
        scheduler_address=read.text(SCHEDULER_ADDRESS),
        ledger_address=read.text(LEDGER_ADDRESS),
        blob_folder=blob_folder,
        blob_url=blob_url,
        lease_seconds=lease_seconds,
        beat_seconds=beat_seconds,
        token_file=read.path(TOKEN_FILE),
        tenant=read.text(TENANT),
        log_level=read.log_level(),
        build_id=read.build_id(),
        metrics=read.metrics_address(),
        concurrency=read.whole(CONCURRENCY, most=CONCURRENCY_MAX),
        job_types=job_types,
        declared=declared_job_types(read) if role == "worker" else NONE_DECLARED,
        drain_grace_seconds=read.seconds(DRAIN_GRACE_SECONDS, or_none=True),
        retention_days=read.days(RETENTION),
        connection_seconds_max=read.seconds(CONNECTION_SECONDS_MAX, or_none=True),
        client_connections_max=read.client_connections(),
        call_limits=read.call_limits(),
        tokens=read_token_settings(read) if role == "ledger" else None,
        tls=tls,
        behind_mesh=behind_mesh,
        scheduler_tls=read_client_tls(read, tls_files) if role == "worker" else None,
        travel_api=travel_api_access(read) if role == "worker" else None,
        unit_directory=unit_directory_access(read) if role == "worker" else None,
    )
    read.check()
    return settings


def _blobs(read: SettingsReader) -> tuple[Path, str]:
    """The folder, or the URL of an object store."""
    place = read.text(BLOB_FOLDER).strip()
    if not is_url(place):
        return Path(place), ""
    # The URL is not repeated, since somebody may have put a secret into it.
    if fault := fault_of_url(place) or lacks("objects", "An object store"):
        read.faults.append(f"{BLOB_FOLDER.variable}: {fault}")
    return Path(), place


def _check_scheduler_address(read: SettingsReader) -> None:
    try:
        target_of(read.needed(SCHEDULER_ADDRESS), with_tls=calls_with_tls(read))
    except ValueError as error:
        read.faults.append(f"{SCHEDULER_ADDRESS.variable} {error}")
