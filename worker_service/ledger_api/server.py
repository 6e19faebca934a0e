"""The composition root of the ledger process."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from carbonline.exposed_file import ExposedFile
from carbonline.postgres.errors import ANY_DATABASE_ERROR, DatabaseRefused, DatabaseUnavailable
from carbonline.serving.auth.access import open_access
from carbonline.serving.auth.principals import Authenticator
from carbonline.serving.background import Background, BackgroundTaskEnded
from carbonline.serving.calls_in_flight import CallsInFlight
from carbonline.serving.declared_settings import TENANT
from carbonline.serving.drain import drain
from carbonline.serving.errors import RpcError
from carbonline.serving.health import SERVING, add_health, publish_health
from carbonline.serving.interceptor import Interceptor
from carbonline.serving.listening import listen, options
from carbonline.serving.log_stream import stderr_stream
from carbonline.serving.logs import log_exposed_files, open_process_log
from carbonline.serving.metrics_port import DRAINING, Probes, metrics_served
from carbonline.serving.one_line import one_line_server
from carbonline.serving.printed import print_sentence
from carbonline.serving.read_turns import tenants_of_caller, too_many_reads
from carbonline.serving.settings import SettingsWrong
from carbonline.serving.tls import server_credentials
from carbonline.v1 import blobs_pb2, blobs_pb2_grpc, ledger_pb2, ledger_pb2_grpc
from worker_service.blobs.any_store import AnyBlobStore, blob_store
from worker_service.blobs.reference import ReferenceWrong, check_tenant
from worker_service.ledger.errors import SchemaMissing, TooManyReads
from worker_service.ledger.pool import open_ledger
from worker_service.ledger_api.blob_servicer import CHUNK_BYTES_MAX, IDLE_SECONDS, BlobServicer
from worker_service.ledger_api.ledger_servicer import LedgerServicer
from worker_service.ledger_database import ledger_is_up, sentence_about
from worker_service.metrics import LedgerMetrics
from worker_service.settings import Settings

EXIT_FAILED = 1
EXIT_USAGE = 2
LEDGER_SERVICE = ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"].full_name
BLOB_SERVICE = blobs_pb2.DESCRIPTOR.services_by_name["BlobService"].full_name
# Reads that run at the same time, each on a connection of its own. Others wait.
READS_MAX = 4
# A chunk of a file, and what is around it. An upload holds one of them at a time; one that is a
# little too large is refused with a sentence of ours.
REQUEST_BYTES_MAX = 2 * CHUNK_BYTES_MAX
COLLECT_SECONDS = 3600.0
# How long a file in transfer may keep a connection that is to be closed because of its age.
TRANSFER_SECONDS_MAX = 3600.0
# How long a file in transfer may still take when the process is told to end.
STREAMS_END_SECONDS = 5.0
UNAVAILABLE: tuple[type[Exception], ...] = (DatabaseUnavailable, SchemaMissing)


@dataclass(frozen=True, slots=True)
class RunningLedger:
    """A ledger process that serves. `port` is 0 on a unix socket."""

    port: int
    blobs: AnyBlobStore
    background: Background
    metrics: LedgerMetrics


async def serve_ledger(settings: Settings, exposed: Sequence[ExposedFile]) -> int:
    """Serve until SIGTERM or SIGINT, then drain. Wait for a database that is starting.

    Returns the exit code: 0, 1 if a background task ended, 2 if the settings or the database cannot
    be used.
    """
    stream = stderr_stream()
    log = open_process_log(settings.log_level, stream, service="ledger")
    log_exposed_files(log, exposed)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        _check(settings)
        registry, probes = CollectorRegistry(), Probes()
        registry.register(stream)
        # Before the database is waited for, and until the drain is over: probes ask meanwhile.
        with metrics_served(registry, settings.metrics, probes):
            if not await ledger_is_up(settings, stopping, log, probes.report):
                return 0
            async with running_ledger(
                settings, log, registry=registry, report=probes.report
            ) as running:
                log.info("ledger_started", address=settings.ledger_address, port=running.port)
                await running.background.run_until(stopping)
                log.info("ledger_draining")
    except (DatabaseUnavailable, DatabaseRefused) as error:
        print_sentence(f"ledger: {sentence_about(error)}")
        return EXIT_USAGE
    except (SettingsWrong, SchemaMissing, OSError) as error:
        print_sentence(f"ledger: {error}")
        return EXIT_USAGE
    except BackgroundTaskEnded as error:
        print_sentence(f"ledger: {error}")
        return EXIT_FAILED
    log.info("ledger_stopped")
    return 0


@asynccontextmanager
async def running_ledger(
    settings: Settings,
    log: FilteringBoundLogger,
    authenticator: Authenticator | None = None,
    blobs: AnyBlobStore | None = None,
    upload_idle_seconds: float = IDLE_SECONDS,
    *,
    registry: CollectorRegistry | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[RunningLedger]:
    """Serve for as long as the block runs, then drain. `report` is called with why it is not ready.

    Raises SettingsWrong, SchemaMissing, DatabaseRefused, DatabaseUnavailable or another OSError.
    """
    _check(settings)
    access = await open_access(
        settings.tenant, settings.token_file, settings.tokens, settings.tls, log, authenticator
    )
    if not settings.blob_url:
        settings.blob_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    blobs = blobs or blob_store(settings.blob_folder, settings.blob_url)
    ledger = await open_ledger(
        settings.database_url,
        application_name="carbonline ledger",
        jobs_max=READS_MAX,
        asker=tenants_of_caller,
    )
    try:
        metrics = LedgerMetrics(registry or CollectorRegistry())
        interceptor = _interceptor(access.authenticator, log, metrics, settings)
        server = one_line_server(
            [interceptor],
            options(
                settings.connection_seconds_max,
                TRANSFER_SECONDS_MAX,
                REQUEST_BYTES_MAX,
                settings.client_connections_max,
            ),
        )
        numbers = LedgerServicer(ledger, blobs.bytes_max)
        ledger_pb2_grpc.add_LedgerServiceServicer_to_server(numbers, server)
        files = BlobServicer(blobs, ledger, upload_idle_seconds)
        blobs_pb2_grpc.add_BlobServiceServicer_to_server(files, server)
        healthy = add_health(server, (LEDGER_SERVICE, BLOB_SERVICE))
        # Files are served without PostgreSQL.
        await healthy.set(BLOB_SERVICE, SERVING)
        port = listen(server, settings.ledger_address, server_credentials(settings.tls, log))
        # A changed password counts as no answer, too: any error of the database does.
        unanswered = (*UNAVAILABLE, *ANY_DATABASE_ERROR)
        services = (LEDGER_SERVICE,)
        publishing = publish_health(
            healthy, services, ledger.ping, unanswered, report, interceptor.silence
        )
        background = Background(log)
        access.run_in(background)
        background.start("health", publishing)
        background.start("silence", interceptor.end_calls_in_silence(services))
        background.start("collect", _collect_abandoned(blobs, log))
        await server.start()
        try:
            yield RunningLedger(port, blobs, background, metrics)
        finally:
            report(DRAINING)
            await background.cancel()
            await healthy.enter_graceful_shutdown()
            await drain(server, interceptor, min(settings.drain_grace_seconds, STREAMS_END_SECONDS))
    finally:
        await ledger.close()


def _interceptor(
    authenticator: Authenticator,
    log: FilteringBoundLogger,
    metrics: LedgerMetrics,
    settings: Settings,
) -> Interceptor:
    return Interceptor(
        authenticator,
        log,
        metrics.called,
        database_unavailable=UNAVAILABLE,
        translated=_failure,
        ends_own_streams=True,
        calls=CallsInFlight(settings.call_limits),
    )


def _failure(error: Exception) -> RpcError | None:
    return too_many_reads() if isinstance(error, TooManyReads) else None


def _check(settings: Settings) -> None:
    faults = []
    try:
        check_tenant(settings.tenant)
    except ReferenceWrong as wrong:
        faults.append(f"{TENANT.variable}: {wrong}")
    if fault := settings.fault_of_address:
        faults.append(fault)
    if faults:
        raise SettingsWrong(faults)


async def _collect_abandoned(blobs: AnyBlobStore, log: FilteringBoundLogger) -> None:
    """Remove what dead uploads left behind, about every hour. Jitter spreads replicas."""
    while True:
        try:
            if files := await asyncio.to_thread(blobs.collect_abandoned_uploads):
                log.info("abandoned_uploads_collected", files=files)
        except OSError as error:
            log.warning("abandoned_uploads_not_collected", error=repr(error))
        await asyncio.sleep(COLLECT_SECONDS * random.uniform(0.8, 1.0))  # noqa: S311
