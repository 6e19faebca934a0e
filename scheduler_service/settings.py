"""What the scheduler process reads from its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from carbonline.serving.auth.token_settings import (
    TOKEN_SETTINGS,
    TokenSettings,
    read_token_settings,
)
from carbonline.serving.call_limits import CALL_LIMITS, CallLimits
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
    CLIENT_CONNECTIONS,
    CLIENT_CONNECTIONS_MAX,
    CONNECTION_SECONDS_MAX,
    LEASE_SECONDS,
    LOG_LEVEL,
    METRICS_HOST,
    METRICS_PORT,
    PREFIX,
    RECEIVE_SECONDS,
    RETENTION,
    TENANT,
    TOKEN_FILE,
    Setting,
    file_of,
    seconds,
)
from carbonline.serving.metrics_address import MetricsAddress
from carbonline.serving.settings import SettingsReader
from carbonline.serving.tls_settings import TLS_SETTINGS, TlsSettings, read_tls_settings
from scheduler_service.declared_job_types import hidden_from_locks
from scheduler_service.jobs.job_types import OWN_JOB_TYPES, enabled_job_types
from scheduler_service.jobs.limits import LIMITS, RETENTION_DAYS, Limits
from scheduler_service.limit_settings import LIMIT_SETTINGS, read_limits
from scheduler_service.store.core.pool_sizes import PoolSizes

SWEEPS_PER_LEASE_MIN = 8
# A pool beyond it is a slip of the keyboard: PostgreSQL has 100 connections by default.
CONNECTIONS_MAX = 1000

DATABASE_URL = Setting(
    "DATABASE_URL",
    "a URL of PostgreSQL, 15 to 18",
    "The database with the schema `scheduler`; `carbonline migrate` creates it.",
    example="postgresql://user@host/name",
)
ADDRESS = Setting(
    "SCHEDULER_ADDRESS",
    "unix:PATH or host:port",
    "Where the scheduler listens. A port requires TOKEN_FILE or JWT_KEYS, and TLS "
    "if it is not a loopback address.",
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
SIZES = PoolSizes()


def _connections(name: str, default: int, does: str) -> Setting:
    form = f"a whole number from 1 up to {CONNECTIONS_MAX}"
    return Setting(name, form, does, f"{default}", unit="connections")


LEASE_CONNECTIONS = _connections(
    "LEASE_CONNECTIONS",
    SIZES.leases,
    "The most connections to PostgreSQL for Claim, Heartbeat, Submit and Finish. With fewer than "
    "the default, their batches may wait for each other.",
)
CALL_CONNECTIONS = _connections(
    "CALL_CONNECTIONS",
    SIZES.calls,
    "The most connections for calls that may wait for a locked pipeline: Chain, Release, and what "
    "operators change.",
)
READ_CONNECTIONS = _connections(
    "READ_CONNECTIONS",
    SIZES.reads,
    "The most connections for what people and monitors read. More of them take time from the "
    "workers' calls.",
)
READ_SECONDS = seconds(
    "READ_SECONDS",
    f"{SIZES.read_seconds:g}",
    "A statement of a read that takes longer is ended, and the call answers READ_TOO_LONG.",
)
SWEEP_CONNECTIONS = _connections(
    "SWEEP_CONNECTIONS",
    SIZES.sweeps,
    "The most connections for sweeps, for retention, for the reader behind all watches, for "
    "notifications and for metrics.",
)
NOOP = Setting("NOOP", "1 or nothing", "1 allows jobs of the type noop, for tests and benchmarks.")
SETTINGS = (
    DATABASE_URL,
    file_of(DATABASE_URL),
    ADDRESS,
    TOKEN_FILE,
    *TOKEN_SETTINGS,
    *TLS_SETTINGS,
    TENANT,
    LEASE_SECONDS,
    BEAT_SECONDS,
    SWEEP_SECONDS,
    POLL_SECONDS,
    LEASE_CONNECTIONS,
    CALL_CONNECTIONS,
    READ_CONNECTIONS,
    READ_SECONDS,
    SWEEP_CONNECTIONS,
    CLIENT_CONNECTIONS_MAX,
    CONNECTION_SECONDS_MAX,
    METRICS_PORT,
    METRICS_HOST,
    LOG_LEVEL,
    BUILD_ID,
    RETENTION,
    *LIMIT_SETTINGS,
    CALLS_MAX,
    CALLS_MEBIBYTES_MAX,
    RECEIVE_SECONDS,
    NOOP,
    JOB_TYPES_FILE,
    CONFIG_FILE,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per variable: CARBONLINE_ and the field's name in capitals. `connections` has five,
    `tokens` those that begin with JWT_, `limits` one for each name that ends with _MAX.

    `address` is CARBONLINE_SCHEDULER_ADDRESS: "unix:PATH" or "host:port". `metrics` is METRICS_HOST
    and METRICS_PORT. No variables are the last three; `drain_grace_seconds` and what ends behind it
    fit into the ten seconds that a local stack waits for the end.
    """

    database_url: str
    address: str
    lease_seconds: float = 45.0
    beat_seconds: float = 10.0
    sweep_seconds: float = 5.0
    token_file: Path | None = None
    tokens: TokenSettings | None = None
    tls: TlsSettings | None = None
    behind_mesh: bool = False
    tenant: str = "local"
    log_level: str = "info"
    noop: bool = False
    declared: DeclaredJobTypes = NONE_DECLARED
    poll_seconds: float = 1.0
    connection_seconds_max: float = 1800.0
    client_connections_max: int = CLIENT_CONNECTIONS
    build_id: str = "unknown"
    metrics: MetricsAddress = MetricsAddress()  # noqa: RUF009  frozen
    connections: PoolSizes = SIZES
    retention_days: float = RETENTION_DAYS
    limits: Limits = LIMITS
    call_limits: CallLimits = CALL_LIMITS
    keepalive_seconds: float = 10.0
    watch_seconds_max: float = 3600.0
    drain_grace_seconds: float = 7.0

    @property
    def stream_seconds_max(self) -> float:
        """When a watch ends: it keeps its connection open, and must not outlive it."""
        if not self.connection_seconds_max:
            return self.watch_seconds_max
        return min(self.watch_seconds_max, self.connection_seconds_max)

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
            ADDRESS.variable,
            self.address,
            knows_callers=self.knows_callers,
            is_encrypted=self.is_encrypted,
        )

    @property
    def job_types(self) -> tuple[str, ...]:
        """The job types that clients may name."""
        return enabled_job_types(noop=self.noop)


def _declared(read: SettingsReader) -> DeclaredJobTypes:
    declared = declared_job_types(read, OWN_JOB_TYPES)
    read.faults += hidden_from_locks(declared)
    return declared


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment. Raises SettingsWrong with every fault in one message."""
    read = SettingsReader(environment)
    lease_seconds, beat_seconds = read.lease_and_beat()
    tls, behind_mesh = read_tls_settings(read)
    settings = Settings(
        database_url=read.database_url(DATABASE_URL) or read.needed(DATABASE_URL),
        address=read.needed(ADDRESS),
        lease_seconds=lease_seconds,
        beat_seconds=beat_seconds,
        sweep_seconds=read.seconds(SWEEP_SECONDS),
        token_file=read.path(TOKEN_FILE),
        tokens=read_token_settings(read),
        tls=tls,
        behind_mesh=behind_mesh,
        tenant=read.text(TENANT),
        log_level=read.log_level(),
        noop=read.text(NOOP) == "1",
        declared=_declared(read),
        poll_seconds=read.seconds(POLL_SECONDS),
        connection_seconds_max=read.seconds(CONNECTION_SECONDS_MAX, or_none=True),
        client_connections_max=read.client_connections(),
        build_id=read.build_id(),
        metrics=read.metrics_address(),
        connections=PoolSizes(
            leases=read.whole(LEASE_CONNECTIONS, most=CONNECTIONS_MAX),
            calls=read.whole(CALL_CONNECTIONS, most=CONNECTIONS_MAX),
            reads=read.whole(READ_CONNECTIONS, most=CONNECTIONS_MAX),
            sweeps=read.whole(SWEEP_CONNECTIONS, most=CONNECTIONS_MAX),
            read_seconds=read.seconds(READ_SECONDS),
        ),
        retention_days=read.days(RETENTION),
        limits=read_limits(read),
        call_limits=read.call_limits(),
    )
    if settings.sweep_seconds * SWEEPS_PER_LEASE_MIN > lease_seconds:
        read.faults.append(
            f"{PREFIX}SWEEP_SECONDS ({settings.sweep_seconds:g}) must be at most an eighth of "
            f"{PREFIX}LEASE_SECONDS ({lease_seconds:g})"
        )
    read.check()
    return settings
