"""The Prometheus metrics of a worker and of the ledger process, all declared here."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from worker_service.mechanics.run_end import RunEnd

# A step does nothing, or reads a million rows.
SECONDS_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class WorkerMetrics:
    """Metrics of a worker process. Labels have few values and never name a tenant."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers the metrics in `registry`."""
        self.jobs = Counter(
            "carbonline_worker_jobs",
            "Runs by result, or by the reason of the release",
            ["job_type", "result"],
            registry=registry,
        )
        self.seconds = Histogram(
            "carbonline_worker_step_seconds",
            "One run of a step",
            ["job_type"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.rows = Counter(
            "carbonline_worker_rows",
            "Rows that steps have processed, by their stats",
            ["job_type"],
            registry=registry,
        )
        self.stops = Counter(
            "carbonline_worker_stopped_runs",
            "Stopped runs: LOST and LEASE_OVER are lost leases, STALE is a lost lease or a cancel",
            ["reason"],
            registry=registry,
        )
        self.ready = Gauge(
            "carbonline_worker_ready",
            "1 if what the jobs need can be used, 0 if not: then no job is claimed",
            registry=registry,
        )
        self.ready.set(1)

        self.deleted = Counter(
            "carbonline_worker_deleted",
            "What housekeeping has deleted, by kind",
            ["kind"],
            registry=registry,
        )

        # Looking up labels takes as long as a short step, and thousands of runs end in a second.
        self._jobs_of = cache(self.jobs.labels)
        self._seconds_of = cache(self.seconds.labels)

    def run_ended(self, end: RunEnd) -> None:
        """Counts one run. Call it when its step has ended."""
        self._jobs_of(end.job_type, end.result).inc()
        self._seconds_of(end.job_type).observe(end.seconds)
        if end.rows:
            self.rows.labels(end.job_type).inc(end.rows)
        if end.stop_reason is not None:
            self.stops.labels(end.stop_reason.value).inc()

    def deleted_more(self, kind: str, count: int) -> None:
        """Counts what housekeeping has deleted."""
        self.deleted.labels(kind).inc(count)

    def ready_changed(self, reason: str) -> None:
        """Notes that the worker is not ready, or is ready if there is no `reason`."""
        self.ready.set(0 if reason else 1)


class LedgerMetrics:
    """Metrics of the ledger process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers the metrics in `registry`."""
        self.registry = registry
        self.calls = Counter(
            "carbonline_ledger_rpc_calls",
            "Calls that have ended",
            ["method", "code"],
            registry=registry,
        )

    def called(self, method: str, code: str) -> None:
        """Counts one ended call. `method` is "/package.Service/Method", `code` its gRPC status."""
        self.calls.labels(method.lstrip("/"), code).inc()
