"""The composition root of the scheduler."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import grpc.aio
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from carbonline.exposed_file import ExposedFile
from carbonline.postgres.errors import (
    ANY_DATABASE_ERROR,
    DATABASE_UNAVAILABLE,
    STARTING,
    VALUE_REFUSED,
    DatabaseRefused,
    DatabaseUnavailable,
)
from carbonline.postgres.kept_sessions import SessionNotKept
from carbonline.postgres.ping import Ping
from carbonline.postgres.pool import probe
from carbonline.postgres.url import UNREADABLE
from carbonline.serving.auth.access import open_access
from carbonline.serving.auth.principals import Authenticator
from carbonline.serving.background import Background
from carbonline.serving.calls_in_flight import CallsInFlight
from carbonline.serving.database_start import database_is_up, database_refuses, database_unavailable
from carbonline.serving.drain import drain
from carbonline.serving.health import Health, add_health, publish_health
from carbonline.serving.interceptor import Interceptor
from carbonline.serving.listening import listen, options
from carbonline.serving.log_stream import stderr_stream
from carbonline.serving.logs import log_exposed_files, open_process_log
from carbonline.serving.metrics_port import DRAINING, Probes, metrics_served
from carbonline.serving.one_line import one_line_server
from carbonline.serving.read_turns import tenants_of_caller
from carbonline.serving.settings import SettingsWrong
from carbonline.serving.silence import Silence
from carbonline.serving.tls import server_credentials
from carbonline.v1 import (
    operations_pb2,
    operations_pb2_grpc,
    scheduler_pb2,
    scheduler_pb2_grpc,
)
from scheduler_service.metrics import Metrics
from scheduler_service.rpc.gathered_calls import GatheredCalls
from scheduler_service.rpc.long_poll import LongPolls
from scheduler_service.rpc.operations.operations_servicer import OperationsServicer
from scheduler_service.rpc.refusals import failure
from scheduler_service.rpc.scheduler_servicer import SchedulerServicer
from scheduler_service.rpc.stream_ends import StreamEnds
from scheduler_service.rpc.tenant_watches import TenantWatches
from scheduler_service.rpc.wakes import Wakes
from scheduler_service.rpc.watch import Watches
from scheduler_service.settings import Settings
from scheduler_service.store.claim.seen_workers import SEEN_PER_LEASE
from scheduler_service.store.core.pool import (
    CONNECT_TIMEOUT_SECONDS,
    open_pools,
    session_settings,
)
from scheduler_service.store.core.schema_revision import SCHEMA_REVISION, revision_of
from scheduler_service.store.notify.listener import Listener
from scheduler_service.store.store import APPLICATION_NAME, Store
from scheduler_service.store_observer import StoreObserver
from scheduler_service.sweeps.loop import sweep_forever
from scheduler_service.sweeps.queue_depths import publish_queue_depths
from scheduler_service.sweeps.retention import retain_forever

UNUSABLE: tuple[type[Exception], ...] = (*ANY_DATABASE_ERROR, *UNREADABLE, SessionNotKept)
# Longer than any other call than a watch takes, the wait of a Claim included.
CALL_SECONDS_MAX = 90.0
CALLS_OF_RUNNING_JOBS = frozenset({"Heartbeat", "Chain", "Finish", "BatchFinish", "Release"})
SERVICES = (
    scheduler_pb2.DESCRIPTOR.services_by_name["SchedulerService"].full_name,
    operations_pb2.DESCRIPTOR.services_by_name["OperationsService"].full_name,
)


@dataclass(frozen=True, slots=True)
class RunningScheduler:
    """A scheduler that serves; `port` is 0 on a unix socket."""

    store: Store
    port: int
    long_polls: LongPolls
    watches: Watches
    tenant_watches: TenantWatches
    metrics: Metrics
    background: Background
    calls: CallsInFlight


async def serve(settings: Settings, exposed: Sequence[ExposedFile]) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a database that is starting is waited for.

    Raises SettingsWrong, DatabaseRefused, NotMigrated, BackgroundTaskEnded, or an OSError such as
    DatabaseUnavailable.
    """
    stream = stderr_stream()
    log = open_process_log(
        settings.log_level, stream, service="scheduler", build_id=settings.build_id
    )
    log_exposed_files(log, exposed)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    _check_address(settings)
    probing = partial(probe, settings.database_url, CONNECT_TIMEOUT_SECONDS)
    registry, probes = CollectorRegistry(), Probes()
    registry.register(stream)
    # Before the database is waited for, and until the drain is over: probes ask meanwhile.
    with metrics_served(registry, settings.metrics, probes):
        if not await database_is_up(probing, STARTING, stopping, log, probes.report):
            return
        async with running_server(
            settings, log, registry=registry, report=probes.report
        ) as running:
            log.info("scheduler_started", address=settings.address, port=running.port)
            await running.background.run_until(stopping)
            log.info("scheduler_draining")
    log.info("scheduler_stopped")


class NotMigrated(Exception):
    """The schema `scheduler` is missing or old. The message names the command that migrates it."""


@asynccontextmanager
async def running_server(
    settings: Settings,
    log: FilteringBoundLogger,
    authenticator: Authenticator | None = None,
    *,
    registry: CollectorRegistry | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[RunningScheduler]:
    """Everything that serves, and its orderly end. `report` is called with why it is not ready."""
    _check_address(settings)
    metrics = Metrics(registry or CollectorRegistry())
    calls = CallsInFlight(
        settings.call_limits,
        of_running_jobs=CALLS_OF_RUNNING_JOBS,
        bounded_elsewhere=frozenset({"Claim"}),
    )
    access = await open_access(
        settings.tenant, settings.token_file, settings.tokens, settings.tls, log, authenticator
    )
    interceptor = _interceptor(access.authenticator, log, metrics, calls)
    async with _open_store(settings, metrics, log) as store:
        await _check_schema(store)
        wakes = Wakes()
        # An idle worker gives its signs of life by looking for jobs.
        poll_seconds = min(settings.poll_seconds, settings.lease_seconds / SEEN_PER_LEASE)
        long_polls = LongPolls(wakes, poll_seconds, settings.limits.parked_claims)
        watches, tenant_watches = _watches(settings, store, wakes, log)
        server = one_line_server(
            [interceptor],
            options(
                settings.connection_seconds_max,
                settings.stream_seconds_max + CALL_SECONDS_MAX,
                connections=settings.client_connections_max,
            ),
        )
        _add_servicers(server, settings, store, long_polls, (watches, tenant_watches), log)
        healthy = add_health(server, SERVICES)
        port = listen(server, settings.address, server_credentials(settings.tls, log))
        store.notifier.on_hint, store.notifier.on_activity = wakes.hint, wakes.hint_activity
        listener = Listener(settings.database_url, wakes.hint, log, store.notifier)
        background = Background(log)
        access.run_in(background)
        background.start("listener", listener.run())
        background.start("watches", watches.run())
        background.start("tenant watches", tenant_watches.run())
        background.start("sweeps", sweep_forever(store, log))
        background.start("retention", retain_forever(store, log))
        background.start(
            "health", _publish_health(healthy, settings, store, report, interceptor.silence)
        )
        background.start("silence", interceptor.end_calls_in_silence(SERVICES))
        if settings.metrics.port:
            depths = publish_queue_depths(store, metrics.queue_is, log)
            background.start("queue depths", depths)
        await server.start()
        try:
            yield RunningScheduler(
                store, port, long_polls, watches, tenant_watches, metrics, background, calls
            )
        finally:
            report(DRAINING)
            await healthy.enter_graceful_shutdown()
            _drain_streams(long_polls, watches, tenant_watches)
            await drain(server, interceptor, settings.drain_grace_seconds)
            await background.cancel()


def _watches(
    settings: Settings, store: Store, wakes: Wakes, log: FilteringBoundLogger
) -> tuple[Watches, TenantWatches]:
    """The watches of single pipelines and those of all, which share their places."""
    ends = StreamEnds(
        keepalive_seconds=settings.keepalive_seconds,
        seconds_max=settings.stream_seconds_max,
        watches_max=settings.limits.watches,
    )
    poll_seconds = settings.poll_seconds
    return (
        Watches(store, wakes, ends, log, poll_seconds=poll_seconds),
        TenantWatches(store, wakes.listed, ends, log, poll_seconds=poll_seconds),
    )


def _drain_streams(long_polls: LongPolls, watches: Watches, tenant_watches: TenantWatches) -> None:
    long_polls.draining.set()
    watches.drain()
    tenant_watches.drain()


def _interceptor(
    authenticator: Authenticator,
    log: FilteringBoundLogger,
    metrics: Metrics,
    calls: CallsInFlight,
) -> Interceptor:
    return Interceptor(
        authenticator,
        log,
        metrics.called,
        database_unavailable=DATABASE_UNAVAILABLE,
        value_refused=VALUE_REFUSED,
        translated=failure,
        # Watches and waiting claims end by themselves when they drain.
        ends_own_streams=False,
        calls=calls,
    )


def _add_servicers(
    server: grpc.aio.Server,
    settings: Settings,
    store: Store,
    long_polls: LongPolls,
    watches: tuple[Watches, TenantWatches],
    log: FilteringBoundLogger,
) -> None:
    gathered = GatheredCalls(store)
    scheduler = SchedulerServicer(
        store,
        gathered,
        long_polls,
        *watches,
        log,
        job_types=settings.job_types,
        declared=settings.declared.digest,
    )
    scheduler_pb2_grpc.add_SchedulerServiceServicer_to_server(scheduler, server)
    operations = OperationsServicer(
        store, gathered, build_id=settings.build_id, job_types=settings.job_types
    )
    operations_pb2_grpc.add_OperationsServiceServicer_to_server(operations, server)


@asynccontextmanager
async def _open_store(
    settings: Settings, metrics: Metrics, log: FilteringBoundLogger
) -> AsyncIterator[Store]:
    try:
        pools = await open_pools(
            settings.database_url, settings.connections, application_name=APPLICATION_NAME
        )
    except STARTING as error:
        raise DatabaseUnavailable(database_unavailable(error, "DATABASE_URL")) from error
    except UNUSABLE as error:
        raise DatabaseRefused(database_refuses(error, "DATABASE_URL")) from error
    store = Store(
        pools,
        lease_seconds=settings.lease_seconds,
        sweep_seconds=settings.sweep_seconds,
        retention_days=settings.retention_days,
        limits=settings.limits,
        observer=StoreObserver(metrics, log),
        asker=tenants_of_caller,
    )
    try:
        yield store
    finally:
        await store.close()


async def _publish_health(
    healthy: Health,
    settings: Settings,
    store: Store,
    report: Callable[[str], None],
    silence: Silence,
) -> None:
    ping = Ping(
        settings.database_url,
        session_settings(f"{APPLICATION_NAME} health"),
        connect_seconds=CONNECT_TIMEOUT_SECONDS,
        renew_sessions=store.pools.renew_sessions,
    )
    try:
        await publish_health(healthy, SERVICES, ping, ANY_DATABASE_ERROR, report, silence)
    finally:
        ping.close()


def _check_address(settings: Settings) -> None:
    if fault := settings.fault_of_address:
        raise SettingsWrong([fault])


async def _check_schema(store: Store) -> None:
    async with store.pool.acquire() as conn:
        revision = await revision_of(conn)
    # A newer one is of the next release, which migrates before it starts its own schedulers.
    if revision < SCHEMA_REVISION:
        found = f"revision {revision}, not {SCHEMA_REVISION}" if revision else "no revision"
        raise NotMigrated(
            f"the schema `scheduler` of the database has {found}: run `carbonline migrate` first"
        )
