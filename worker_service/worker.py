"""The composition root of a worker process."""

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from carbonline.client.channel import Credentials, open_channel
from carbonline.exposed_file import ExposedFile
from carbonline.postgres.errors import DatabaseRefused, DatabaseUnavailable
from carbonline.serving.log_stream import stderr_stream
from carbonline.serving.logs import log_exposed_files, open_process_log
from carbonline.serving.metrics_port import Probes, metrics_served
from carbonline.serving.printed import print_sentence
from worker_service.blobs.any_store import blob_store
from worker_service.extensions import Extensions, load_extensions
from worker_service.ledger.canary import Canary
from worker_service.ledger.errors import SchemaMissing
from worker_service.ledger.pool import Ledger, open_ledger
from worker_service.ledger_and_blobs import LedgerAndBlobs
from worker_service.ledger_database import ledger_is_up, sentence_about
from worker_service.mechanics.drain import Drain
from worker_service.mechanics.lease_keeper import BeatTiming, LeaseKeeper
from worker_service.mechanics.readiness import Needs, NoNeeds
from worker_service.mechanics.registry import Registry, Step, check_registry
from worker_service.mechanics.serve import (
    Served,
    Surroundings,
    WorkerLimits,
    new_keeper,
    serve_jobs,
)
from worker_service.metrics import WorkerMetrics
from worker_service.providers.provider import Provider
from worker_service.providers.travel_api import TravelApi
from worker_service.providers.unit_directory import UnitDirectory
from worker_service.scheduler_client.client import SchedulerClient
from worker_service.scheduler_client.identity import WorkerIdentity
from worker_service.settings import JOB_TYPES, NOOP, Settings
from worker_service.steps.aggregation import run_aggregation
from worker_service.steps.api_ingest import run_api_ingest
from worker_service.steps.csv_check import run_csv_check
from worker_service.steps.csv_ingest import run_csv_ingest
from worker_service.steps.emission_recalc import run_emission_recalc
from worker_service.steps.factor_ingest import run_factor_ingest
from worker_service.steps.housekeeping import Retention, housekeeping
from worker_service.steps.module_emission_recalc import run_module_emission_recalc
from worker_service.steps.noop import run_noop
from worker_service.steps.old_history import HistoryRetention
from worker_service.steps.reading_key import release_digest
from worker_service.steps.reference_ingest import run_reference_ingest
from worker_service.steps.routed_ingest import FOLLOWED_BY, run_routed_ingest
from worker_service.steps.scoped_lists import run_with_lists_noted
from worker_service.steps.stores import Stores
from worker_service.steps.unit_removal import run_unit_removal
from worker_service.steps.unit_sync import run_unit_sync
from worker_service.steps.unnamed_blobs import BlobRetention
from worker_service.steps.upload_withdrawal import run_upload_withdrawal
from worker_service.usable_token import UsableToken

# Every type that this build can run, except noop, which runs only if CARBONLINE_JOB_TYPES names it.
LEDGER_JOB_TYPES: tuple[str, ...] = (
    "csv_ingest",
    "csv_check",
    "api_ingest",
    "routed_ingest",
    "routed_check",
    "routed_factor_ingest",
    "routed_factor_check",
    "upload_withdrawal",
    "factor_ingest",
    "factor_check",
    "reference_ingest",
    "reference_check",
    "unit_sync",
    "unit_check",
    "unit_removal",
    "emission_recalc",
    "module_emission_recalc",
    "aggregation",
)
DAY_SECONDS = 86_400.0
EXIT_FAILED = 1
EXIT_USAGE = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of this process at its port of metrics and probes."""

    metrics: WorkerMetrics
    probes: Probes

    def ready_changed(self, reason: str) -> None:
        """This worker is not ready because of `reason`; "": it is ready."""
        self.metrics.ready_changed(reason)
        self.probes.report(reason)


async def serve_worker(settings: Settings, exposed: Sequence[ExposedFile]) -> int:
    """Runs jobs until SIGTERM, then drains. A second SIGTERM ends it at once.

    Waits for a database that is starting. Returns the exit code of the process: 0 after a drain, 1
    after a failure, 2 if settings, the database or a port must be corrected first.
    """
    extensions = await asyncio.to_thread(extensions_of, settings)
    if fault := fault_of_job_types(settings, extensions):
        print_sentence(f"worker: {fault}")
        return EXIT_USAGE
    identity = WorkerIdentity(
        str(uuid.uuid4()), settings.build_id, socket.gethostname(), settings.declared.digest
    )
    stream = stderr_stream()
    log = open_process_log(
        settings.log_level, stream, worker_id=identity.worker_id, pid=os.getpid()
    )
    log_exposed_files(log, exposed)
    for broken in extensions.faults:
        log.error("extension_broken", entry_point=broken.entry_point, reason=broken.reason)
    drain = Drain()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain.request)
    try:
        registry = CollectorRegistry()
        registry.register(stream)
        seen = Seen(WorkerMetrics(registry), Probes(drain.fault))
        # Before the ledger is waited for, and until the drain is over: probes ask meanwhile.
        with metrics_served(registry, settings.metrics, seen.probes):
            served = await _serve(settings, extensions, identity, drain, log, seen)
    except (DatabaseUnavailable, DatabaseRefused) as error:
        print_sentence(f"worker: {sentence_about(error)}")
        return EXIT_USAGE
    except (SchemaMissing, OSError) as error:
        print_sentence(f"worker: {error}")
        return EXIT_USAGE
    if served.failure is not None:
        log.error("worker_failed", exc_info=served.failure)
    log.info("worker_stopped", left=served.left)
    return 0 if served.failure is None else EXIT_FAILED


async def _serve(
    settings: Settings,
    extensions: Extensions,
    identity: WorkerIdentity,
    drain: Drain,
    log: FilteringBoundLogger,
    seen: Seen,
) -> Served:
    async with open_channel(
        settings.scheduler_address, retries=False, tls=settings.scheduler_tls
    ) as channel:
        scheduler = SchedulerClient(channel, identity, Credentials(settings.token_file))
        types = wanted_types(settings, extensions)
        keeper = new_keeper(scheduler, types, limits_of(settings), drain, log)
        try:
            if needs_ledger(settings) and not await _ledger_is_up(
                settings, keeper, drain, log, seen
            ):
                await keeper.send_last_beat()
                return Served(None, 0)
            return await _serve_jobs(
                settings, extensions, identity, scheduler, keeper, drain=drain, log=log, seen=seen
            )
        except BaseException:
            # It ends without having served, so it has not said its last.
            if keeper.is_known:
                await keeper.send_last_beat()
            raise


async def _ledger_is_up(
    settings: Settings, keeper: LeaseKeeper, drain: Drain, log: FilteringBoundLogger, seen: Seen
) -> bool:
    """As `ledger_is_up`. Meanwhile scheduler and probes hear that this worker is not ready."""

    def report(reason: str) -> None:
        keeper.report_not_ready(f"ledger: {reason}")
        seen.probes.report(f"ledger: {reason}")

    beating = asyncio.create_task(keeper.run(), name="lease-keeper")
    try:
        return await ledger_is_up(settings, drain.requested, log, report)
    finally:
        await _ended(beating)
        keeper.report_not_ready("")


async def _serve_jobs(
    settings: Settings,
    extensions: Extensions,
    identity: WorkerIdentity,
    scheduler: SchedulerClient,
    keeper: LeaseKeeper,
    *,
    drain: Drain,
    log: FilteringBoundLogger,
    seen: Seen,
) -> Served:
    kept_seconds = settings.retention_days * DAY_SECONDS
    retention = Retention(
        BlobRetention(kept_seconds, scheduler.named_blobs),
        HistoryRetention(kept_seconds, scheduler.kept_pipelines),
        seen.metrics.deleted_more,
    )
    async with open_jobs(settings, extensions, retention, log) as jobs:
        log.info(
            "worker_started",
            build_id=identity.build_id,
            scheduler_address=settings.scheduler_address,
            job_types=jobs.registry.job_types,
            concurrency=settings.concurrency,
        )
        return await serve_jobs(
            scheduler,
            jobs.registry,
            limits_of(settings),
            drain,
            log,
            seen.metrics.run_ended,
            around=Surroundings(
                UsableToken(scheduler, jobs.needs),
                seen.ready_changed,
                jobs.beside,
                jobs.lease_changed,
            ),
            keeper=keeper,
        )


def extensions_of(settings: Settings) -> Extensions:
    """What installed packages add. Imports them."""
    own = [provider.name for provider in providers_of(settings)]
    return load_extensions(settings.declared.names, own)


def fault_of_job_types(settings: Settings, extensions: Extensions) -> str:
    """What is wrong with the wanted job types; "" if nothing is."""
    known = (*LEDGER_JOB_TYPES, NOOP, *extensions.handlers)
    unknown = [name for name in settings.job_types if name not in known]
    if not unknown:
        return ""
    return f"{JOB_TYPES.variable} must name some of {', '.join(known)}, not {', '.join(unknown)}"


def needs_ledger(settings: Settings) -> bool:
    """Whether one of the wanted job types reads or writes the ledger."""
    return set(settings.job_types) != {NOOP}


def wanted_types(settings: Settings, extensions: Extensions) -> tuple[str, ...]:
    """The job types that this process runs."""
    return settings.job_types or (*LEDGER_JOB_TYPES, *extensions.handlers)


@dataclass(slots=True)
class OpenJobs:
    """The steps of the wanted job types, what they need, and the tasks beside them."""

    registry: Registry
    needs: Needs
    beside: Sequence[asyncio.Task[None]]
    ledger: Ledger | None

    async def lease_changed(self, lease_seconds: float) -> None:
        """Bounds the sessions of the ledger by the lease that the scheduler gives."""
        if self.ledger is not None:
            await self.ledger.follow_lease(lease_seconds)


@asynccontextmanager
async def open_jobs(
    settings: Settings, extensions: Extensions, retention: Retention, log: FilteringBoundLogger
) -> AsyncIterator[OpenJobs]:
    """What runs jobs: open as long as this context is. Raises as `open_ledger`."""
    needs: Needs = NoNeeds()
    beside: list[asyncio.Task[None]] = []
    ledger: Ledger | None = None
    wanted = wanted_types(settings, extensions)
    async with AsyncExitStack() as opened:
        entries: list[tuple[str, Step]] = [(NOOP, run_noop), *extensions.handlers.items()]
        if needs_ledger(settings):
            await asyncio.to_thread(release_digest)
            stores = await open_stores(settings, opened)
            canary = Canary(settings.database_url, "carbonline worker readiness")
            opened.callback(canary.close)
            needs = LedgerAndBlobs(canary, stores.blobs)
            ledger = stores.ledger
            providers = [*providers_of(settings), *extensions.providers]
            entries += steps_of(stores, providers)
            for name, deleting in housekeeping(stores, retention, log).items():
                task = asyncio.create_task(deleting, name=name)
                opened.push_async_callback(_ended, task)
                beside.append(task)
        registry = check_registry([entry for entry in entries if entry[0] in wanted], wanted)
        yield OpenJobs(registry, needs, beside, ledger)


async def open_stores(settings: Settings, opened: AsyncExitStack) -> Stores:
    """Opens the ledger and the blobs. Raises as `open_ledger`."""
    ledger = await open_ledger(
        settings.database_url,
        application_name="carbonline worker",
        lease_seconds=settings.lease_seconds,
        jobs_max=settings.concurrency,
    )
    opened.push_async_callback(ledger.close)
    return Stores(ledger, blob_store(settings.blob_folder, settings.blob_url))


def providers_of(settings: Settings) -> Sequence[Provider]:
    """The services that this worker asks for rows."""
    providers: list[Provider] = []
    if settings.travel_api is not None:
        providers.append(TravelApi(settings.travel_api))
    if settings.unit_directory is not None:
        providers.append(UnitDirectory(settings.unit_directory))
    return providers


def steps_of(stores: Stores, providers: Sequence[Provider] = ()) -> list[tuple[str, Step]]:
    """A step for each of LEDGER_JOB_TYPES."""
    steps: list[tuple[str, Step]] = [
        ("csv_ingest", partial(run_csv_ingest, stores)),
        ("csv_check", partial(run_csv_check, stores)),
        ("api_ingest", partial(run_api_ingest, stores, providers)),
        *((name, partial(run_routed_ingest, stores)) for name in FOLLOWED_BY),
        ("upload_withdrawal", partial(run_upload_withdrawal, stores)),
        ("factor_ingest", partial(run_factor_ingest, stores)),
        ("factor_check", partial(run_factor_ingest, stores)),
        ("reference_ingest", partial(run_reference_ingest, stores)),
        ("reference_check", partial(run_reference_ingest, stores)),
        ("unit_sync", partial(run_unit_sync, stores, providers)),
        ("unit_check", partial(run_unit_sync, stores, providers)),
        ("unit_removal", partial(run_unit_removal, stores)),
        ("emission_recalc", partial(run_emission_recalc, stores)),
        ("module_emission_recalc", partial(run_module_emission_recalc, stores)),
        ("aggregation", partial(run_aggregation, stores)),
    ]
    return [(name, partial(run_with_lists_noted, stores.ledger, step)) for name, step in steps]


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


def limits_of(settings: Settings) -> WorkerLimits:
    """The limits of the mechanics, from the settings."""
    return WorkerLimits(
        concurrency=settings.concurrency,
        lease_seconds=settings.lease_seconds,
        beat=BeatTiming(beat_seconds=settings.beat_seconds),
        drain_grace_seconds=settings.drain_grace_seconds,
    )
