"""What the scheduler counts and measures, for Prometheus; every metric is declared here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from scheduler_service.store.reads.answers import QueueDepth

PREFIX = "carbonline_scheduler_"
# A statement over a batch takes a millisecond or two; ten seconds end it.
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SIZE_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """One per process, or per server in a test. Labels are few and never name a tenant."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers all of them."""
        self.registry = registry
        self.calls = Counter(
            f"{PREFIX}rpc_calls", "Answered calls", ["method", "code"], registry=registry
        )
        self.seconds = Histogram(
            f"{PREFIX}operation_seconds",
            "One operation of the store, waits for locks and connections included",
            ["operation"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.gathered = Histogram(
            f"{PREFIX}gathered_items",
            "Submits, finishes, calls of Claim or of Heartbeat that shared one transaction",
            ["operation"],
            buckets=SIZE_BUCKETS,
            registry=registry,
        )
        self.submits = Counter(
            f"{PREFIX}submits", "Answered submits", ["disposition"], registry=registry
        )
        self.claims = Counter(
            f"{PREFIX}claims",
            "Jobs handed to workers, again by a repeated claim included",
            ["job_type"],
            registry=registry,
        )
        self.finishes = Counter(
            f"{PREFIX}finishes", "Answered finishes", ["outcome", "result"], registry=registry
        )
        self.events = Counter(
            f"{PREFIX}events",
            "Unusual transitions: expired, released, retry_later, not_ready, cancelled ...",
            ["event"],
            registry=registry,
        )
        self.neglected = Counter(
            f"{PREFIX}neglected_keys",
            "Keys that the backstop had to move on: each one is a defect",
            registry=registry,
        )
        self.removed = Counter(
            f"{PREFIX}removed_rows",
            "Rows deleted because they were old",
            ["kind"],
            registry=registry,
        )
        self.set_asides = Counter(
            f"{PREFIX}set_asides",
            "Claims, jobs and keys that a sweep failed at and skips for a while",
            ["step"],
            registry=registry,
        )
        self.ticks = Counter(
            f"{PREFIX}schedule_ticks",
            "Ticks of schedules that were looked at",
            ["outcome"],
            registry=registry,
        )
        self.queued = Gauge(
            f"{PREFIX}queued_jobs", "Claimable jobs", ["job_type"], registry=registry
        )
        self.oldest = Gauge(
            f"{PREFIX}oldest_queued_seconds",
            "Age of the oldest claimable job, 0 when there is none",
            ["job_type"],
            registry=registry,
        )

    def called(self, method: str, code: str) -> None:
        """A call of "/package.Service/Method" has ended."""
        self.calls.labels(method.lstrip("/"), code).inc()

    def queue_is(self, depth: QueueDepth) -> None:
        """What a look at the queues has found."""
        self.queued.labels(depth.job_type).set(depth.jobs)
        self.oldest.labels(depth.job_type).set(depth.oldest_seconds)

    @contextmanager
    def timed(self, operation: str) -> Iterator[None]:
        """Measures the block, failed or not."""
        began_at = perf_counter()
        try:
            yield
        finally:
            self.seconds.labels(operation).observe(perf_counter() - began_at)


def add_counts(counter: Counter, counts: Mapping[tuple[str, ...], int]) -> None:
    """Adds a whole batch, label values to number."""
    for labels, count in counts.items():
        counter.labels(*labels).inc(count)
