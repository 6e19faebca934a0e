"""Serves the metrics of a process to Prometheus, and its probes to an orchestrator.

They have a port and a thread of their own, apart from the calls: /metrics, /livez and /readyz.
"""

import asyncio
import io
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from carbonline.serving.metrics_address import MetricsAddress
from carbonline.serving.metrics_connections import Asking, Connection, Received

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# An orchestrator gives a probe a few seconds. An event loop that does not turn for longer hangs.
LOOK_SECONDS_MAX = 4.0
# Whose request has not come whole, or who has not read the answer, is gone after this long.
IDLE_SECONDS = 10.0
REQUESTS_MAX = 32
# Those who ask here send few headers, if any.
REQUEST_BYTES_MAX = 16 * 1024
# Who is told to give way has gone after this long, or the machine is too busy for one more.
GIVE_WAY_SECONDS = 1.0
STARTING = "it is starting"
DRAINING = "it is draining"


async def _no_fault() -> str:
    return ""


class Probes:
    """What /readyz answers. `report` is called from the event loop, with why the process is not
    ready, and with "" when it is. `look`, if given, is asked besides, on the event loop.
    """

    def __init__(self, look: Callable[[], Awaitable[str]] = _no_fault) -> None:
        self._reason = STARTING
        self._look = look

    def report(self, reason: str) -> None:
        """From now on the process is not ready because of `reason`; "": it is ready.

        A process that drains stays so.
        """
        if self._reason != DRAINING:
            self._reason = reason

    async def fault(self) -> str:
        """Why the process is not ready; "" if it is."""
        return self._reason or await self._look()


@contextmanager
def metrics_served(
    registry: CollectorRegistry, address: MetricsAddress, probes: Probes
) -> Iterator[None]:
    """Serve `registry` and `probes` from a thread of its own; port 0 serves nothing.

    Call it on the event loop, whose turning /livez shows. Raises OSError when the address cannot
    be listened at.
    """
    if address.port == 0:
        yield
        return
    answers = _application(registry, probes, asyncio.get_running_loop())
    kind = _ServerOnIpv6 if ":" in address.host else _Server
    try:
        server = make_server(address.host, address.port, answers, kind, _Handler)
    except OSError as error:
        raise OSError(f"metrics cannot be served on {address}: {error}") from None
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(WSGIRequestHandler):
    server: "_Server"

    def setup(self) -> None:
        """Bounds the request: one that comes in drops keeps its thread no longer than others."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(Received(self.connection, IDLE_SECONDS, REQUEST_BYTES_MAX))

    def parse_request(self) -> bool:
        """As its parent. The request has come, and from now on waits for nobody but us."""
        is_good = super().parse_request()
        self.server.asking.remove(self.connection)
        self.connection.settimeout(IDLE_SECONDS)
        return is_good

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Writes none: stderr is for lines of JSON."""


class _Server(ThreadingMixIn, WSGIServer):
    """Works on REQUESTS_MAX requests at once. For one more, a connection whose request does not
    come gives way: a probe sends its own at once. If all have come, the new one is closed.
    """

    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        """As its parent, without asking a name server what this host is called."""
        self._free = threading.BoundedSemaphore(REQUESTS_MAX)
        self.asking = Asking()
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Connection, client_address: Any) -> None:
        """Begins a thread, if one is free."""
        if not self._has_place():
            self.shutdown_request(request)
            return
        self.asking.add(request, client_address[0])
        try:
            super().process_request(request, client_address)
        except RuntimeError:
            # The machine gave no thread, so none will release the place.
            self._left(request)
            raise

    def _has_place(self) -> bool:
        if self._free.acquire(blocking=False):
            return True
        return self.asking.end_one() and self._free.acquire(timeout=GIVE_WAY_SECONDS)

    def _left(self, request: Connection) -> None:
        self.asking.remove(request)
        self._free.release()

    def process_request_thread(self, request: Connection, client_address: Any) -> None:
        """What the thread does."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._left(request)

    def handle_error(self, request: Connection, client_address: Any) -> None:
        """Says nothing: a peer went away."""
        del request, client_address


class _ServerOnIpv6(_Server):
    address_family = socket.AF_INET6


def _application(
    registry: CollectorRegistry, probes: Probes, loop: asyncio.AbstractEventLoop
) -> "WSGIApplication":
    metrics: WSGIApplication = make_wsgi_app(registry)

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return metrics(environ, start)
            case "/livez":
                return _text(start, _asked(_no_fault(), loop))
            case "/readyz":
                return _text(start, _asked(probes.fault(), loop))
            case _:
                there_is = "Ask for /metrics, /livez or /readyz."
                return _text(start, there_is, HTTPStatus.NOT_FOUND)

    return answer


def _asked(question: Coroutine[Any, Any, str], loop: asyncio.AbstractEventLoop) -> str:
    """The answer of the event loop, or what is wrong with it."""
    asking = asyncio.run_coroutine_threadsafe(question, loop)
    try:
        return asking.result(LOOK_SECONDS_MAX)
    except TimeoutError:
        asking.cancel()
        return f"the event loop has not answered for {LOOK_SECONDS_MAX:g} s"


def _text(
    start: "StartResponse", fault: str, status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
) -> Iterable[bytes]:
    status = status if fault else HTTPStatus.OK
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
    start(f"{status.value} {status.phrase}", headers)
    return [f"{fault or 'ok'}\n".encode()]
