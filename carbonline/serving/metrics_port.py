"""Serves the metrics of a process to Prometheus, on a port of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

LOCAL_HOST = "127.0.0.1"


@contextmanager
def metrics_served(registry: CollectorRegistry, port: int) -> Iterator[None]:
    """Serve `registry` on 127.0.0.1:`port` from a thread of its own; port 0 serves nothing.

    Raises OSError when the port is taken.
    """
    if port == 0:
        yield
        return
    try:
        server, thread = start_http_server(port, LOCAL_HOST, registry)
    except OSError as error:
        raise OSError(f"metrics cannot be served on {LOCAL_HOST}:{port}: {error}") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
