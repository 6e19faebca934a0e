"""The Prometheus metrics of the gateway, all declared here."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# A list, or a file of hundreds of megabytes.
SECONDS_BUCKETS = (0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0)


class GatewayMetrics:
    """Metrics of a gateway. Labels have few values and never name a tenant."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Registers the metrics in `registry`."""
        self.registry = registry
        self.requests = Counter(
            "carbonline_gateway_requests",
            "Requests that have ended, streams too",
            ["route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "carbonline_gateway_seconds",
            "One request, but for streams of events",
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.streams = Gauge(
            "carbonline_gateway_streams", "Streams of events that are open", registry=registry
        )
        self.bytes_up = Counter(
            "carbonline_gateway_uploaded_bytes", "Bytes of uploads", registry=registry
        )
        self.bytes_down = Counter(
            "carbonline_gateway_downloaded_bytes", "Bytes of downloads", registry=registry
        )
        self.looks = Counter(
            "carbonline_gateway_looks",
            "Looks at the services for all who follow the console's events",
            registry=registry,
        )

    def ended(self, route: str, status: int, seconds: float, *, streams: bool) -> None:
        """Counts one request. `route` is its path with names in braces, or "none"."""
        self.requests.labels(route, str(status)).inc()
        if not streams:
            self.seconds.observe(seconds)
