"""The composition root of the gateway."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from carbonline.exposed_file import ExposedFile
from carbonline.serving.background import Background
from carbonline.serving.log_stream import stderr_stream
from carbonline.serving.logs import log_exposed_files, open_process_log
from carbonline.serving.metrics_port import DRAINING, Probes, metrics_served
from gateway_service.access.every_request import REFUSED
from gateway_service.access.headers import ALWAYS, POLICY_OF_DATA
from gateway_service.access.limits import StreamLimits
from gateway_service.access.turns import Turns
from gateway_service.access.waiting import Waiting, connections_max
from gateway_service.application import application
from gateway_service.lingering import Lingering
from gateway_service.metrics import GatewayMetrics
from gateway_service.parts import Flow, end_of_part
from gateway_service.port import listen
from gateway_service.problem_answers import answer_of
from gateway_service.readiness import Readiness
from gateway_service.services import Services
from gateway_service.settings import Settings
from gateway_service.small_reads import READ_BYTES_MAX, SmallReads
from gateway_service.transcode.problems import Problem

CONNECTIONS_MAX = 4_000
# How long answers may still take when the process is told to end.
DRAIN_SECONDS = 2.0
KEEP_ALIVE_SECONDS = 30
# Thousands of connections may hold as much, and a line of a head takes more than its bytes.
HEADER_BYTES_MAX = 32 * 1024
HEADERS_MAX = 100
# A connection that asks for nothing is closed after this long.
HEAD_SECONDS = 10.0
# Who is answered before the body has come may send the rest of it for so long.
REST_SECONDS = 10.0
# After which who found no room may try again.
BUSY_SECONDS = 5.0
OF_BODIES = (b"content-length", b"transfer-encoding")


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that serves at `url`."""

    url: str
    port: int
    metrics: GatewayMetrics
    background: Background


async def serve(settings: Settings, exposed: Sequence[ExposedFile]) -> None:
    """Serve until SIGTERM or SIGINT, then drain. Raises OSError if the address cannot be used, and
    BackgroundTaskEnded.
    """
    stream = stderr_stream()
    log = open_process_log(
        settings.log_level, stream, service="gateway", build_id=settings.build_id
    )
    log_exposed_files(log, exposed)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with running_gateway(settings, log) as running:
        running.metrics.registry.register(stream)
        log.info("gateway_started", url=running.url)
        await running.background.run_until(stopping)
        log.info("gateway_draining")
    log.info("gateway_stopped")


@asynccontextmanager
async def running_gateway(
    settings: Settings, log: FilteringBoundLogger
) -> AsyncIterator[RunningGateway]:
    """Serve for as long as the block runs, then drain. Raises OSError."""
    metrics = GatewayMetrics(CollectorRegistry())
    draining = asyncio.Event()
    services = Services(settings.scheduler_address, settings.ledger_address, settings.tls)
    readiness = Readiness(services)
    probes = Probes(readiness.fault)
    app = application(
        services,
        readiness,
        metrics,
        log,
        draining,
        hosts=settings.hosts,
        build_id=settings.build_id,
        limits=StreamLimits(
            of_address_max=settings.streams_of_address_max, proxies=settings.proxies
        ),
    )
    listening = listen(settings.host, settings.port)
    port = listening[0].getsockname()[1]
    server = _Server(
        uvicorn.Config(
            app,
            http=_connections(Waiting()),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=round(DRAIN_SECONDS),
        )
    )
    background = Background(log)
    background.start("http", server.serve(sockets=listening))
    try:
        with metrics_served(metrics.registry, settings.metrics, probes):
            shown = f"[{settings.host}]" if ":" in settings.host else settings.host
            probes.report("")
            yield RunningGateway(f"http://{shown}:{port}/", port, metrics, background)
            probes.report(DRAINING)
    finally:
        draining.set()
        server.should_exit = True
        await background.ended()
        await services.close()


class _HeadTooLarge(Exception):
    """A head has too many lines or bytes."""


class _Connection(HttpToolsProtocol):
    """Bounds the head of a request: its bytes, and how long it takes to come. httptools knows no
    bound, and keeps what comes. What is not HTTP is answered like all else that is refused.
    """

    _head_bytes = 0
    _has_large_head = False
    # What has come behind a request that waits for the answer before it.
    _left = b""
    _is_lost = False
    # What still comes belongs to a request that is refused.
    _has_rest = False
    # The request that is answered now; others may stand behind it.
    _at_work: RequestResponseCycle | None = None
    _late: asyncio.TimerHandle | None = None
    _rest: asyncio.TimerHandle | None = None

    def __init__(
        self, *, waiting: Waiting, turns: Turns, connections: int, **of_uvicorn: Any
    ) -> None:
        super().__init__(**of_uvicorn)
        self._waiting = waiting
        self._turns = turns
        self._connections_max = connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # A stranger who says nothing keeps nobody out.
        if self._open() >= self._connections_max:
            self._waiting.end_one()
        self._end = Lingering(transport, self._may_send, REST_SECONDS)
        lingering = cast(asyncio.Transport, self._end)
        self._waiting.add(lingering)
        super().connection_made(lingering)
        self.flow = Flow(lingering, self._note, lambda: bool(self._left))
        self._late = self.loop.call_later(HEAD_SECONDS, self._end_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._waiting.lost(self.transport)
        self._end.lost()
        self._end_rest()
        self._in_time()
        self._left = b""
        if self._at_work is not None and not self._at_work.response_complete:
            # uvicorn tells the newest request alone.
            self._at_work.disconnected = True
            self._at_work.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._at_work = cycle
        self._note()
        self._turns.begin(partial(self._begin, cycle, app))

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:
        if not self._is_lost:
            super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        if self.cycle.response_complete and self.cycle.more_body:
            self._rest = self.loop.call_later(REST_SECONDS, self.transport.abort)
        self._note()
        super().on_response_complete()
        if self._left:
            self._read_on()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._note()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._note()

    def _note(self) -> None:
        """The peer or we have done something: who waits for whom now?"""
        if self._is_lost:
            return
        if self._waits_for_peer():
            self._waiting.add(self.transport)
        else:
            self._waiting.remove(self.transport)

    def _waits_for_peer(self) -> bool:
        """Whether nothing happens until the peer sends or reads."""
        cycle = self._at_work
        if cycle is None or cycle.response_complete or self.flow.write_paused:
            return True
        return cycle.more_body and not self.flow.read_paused

    def _may_send(self) -> bool:
        """Whether more of a request may be on its way that is answered already."""
        if self._has_rest:
            return True
        # There is none before the first request.
        return self.cycle is not None and self.cycle.more_body  # type: ignore[redundant-expr]

    def _end_late(self) -> None:
        """Ends a connection whose head has not come. What we do not read cannot come."""
        if self.flow.read_paused:
            self._late = self.loop.call_later(HEAD_SECONDS, self._end_late)
        else:
            self.transport.abort()

    def _end_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _in_time(self) -> None:
        """The head has come."""
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def data_received(self, data: bytes) -> None:
        self._left += data
        self._read_on()

    def _read_on(self) -> None:
        """Parses what has come, until a request waits for its turn."""
        came, at = self._left, 0
        self._left = b""
        while at < len(came) and not self.pipeline:
            end = end_of_part(came, at)
            self._parse(came[at:end])
            at = end
        self._left = came[at:]
        if self.pipeline:
            # uvicorn reads no further behind a request that waits, and hears of nobody who leaves.
            self.flow.resume_reading()
        elif self._is_idle() and self._late is None:
            # What began no request took away the time that a connection has for the next one.
            self._late = self.loop.call_later(HEAD_SECONDS, self._end_late)

    def _parse(self, part: bytes) -> None:
        if self._has_rest or self._end.drops or self.transport.is_closing():
            return
        self._head_bytes += len(part)
        super().data_received(part)
        if self._head_bytes > HEADER_BYTES_MAX and not self.transport.is_closing():
            self._refuse(_head_too_large())

    def _is_idle(self) -> bool:
        """Whether all that was asked for is received and answered."""
        # There is none before the first request.
        is_first = self.cycle is None
        return is_first or (self.cycle.response_complete and not self.cycle.more_body)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._end_late)

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= HEADERS_MAX:
            self._has_large_head = True
            raise _HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._head_bytes > HEADER_BYTES_MAX:
            self._has_large_head = True
            raise _HeadTooLarge
        self._head_bytes = 0
        self._in_time()
        # uvicorn's own answer would be text.
        self.scope["state"][REFUSED] = self._refused()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)
        # uvicorn would keep 64 KiB before it reads no further.
        if len(self.cycle.body) > READ_BYTES_MAX and not self.cycle.response_complete:
            self.flow.pause_reading()
        self._note()

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        self._end_rest()
        # uvicorn leaves it so where the answer came first.
        self.cycle.more_body = False
        super().on_message_complete()
        self._note()

    def send_400_response(self, msg: str) -> None:
        """Answers for what is not HTTP, and for a head that is read no further."""
        if self._has_large_head:
            self._refuse(_head_too_large())
            return
        words = f"{msg} Is its method one of HTTP, and its path ASCII?"
        self._refuse(Problem(400, "NOT_HTTP", words, headers=ALWAYS))

    def _open(self) -> int:
        """How many connections there are, without those that have given way."""
        return len(self.connections) - self._waiting.ending

    def _refused(self) -> Problem | None:
        """Why the request is not served; None if it is."""
        if self._open() > min(CONNECTIONS_MAX, self._connections_max):
            words = "The gateway has as many connections open as it serves. Try again soon."
            return Problem(
                503,
                "TOO_MANY_CONNECTIONS",
                words,
                retry_seconds=BUSY_SECONDS,
                headers={"connection": "close"},
            )
        has_body = any(name in OF_BODIES and value != b"0" for name, value in self.headers)
        if has_body and self.parser.should_upgrade():
            # httptools leaves the body out, as if it were of the other protocol.
            self._has_rest = True
            words = "The gateway speaks HTTP/1.1 only: send what has a body without `Upgrade`."
            return Problem(400, "UPGRADE_WITH_BODY", words, headers={"connection": "close"})
        return None

    def _refuse(self, problem: Problem) -> None:
        """Answers, and ends the connection; within another answer it would be a part of that."""
        if not self._answers():
            answer = answer_of(problem)
            answer.headers["content-security-policy"] = POLICY_OF_DATA
            answer.headers["connection"] = "close"
            first = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()
            lines = [first, *(b": ".join(one) for one in answer.raw_headers)]
            self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(answer.body))
            self._has_rest = True
        self.transport.close()

    def _answers(self) -> bool:
        """Whether an answer is on its way, or owed to a request that is whole."""
        # There is none before the first request.
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]
            return False
        return self.cycle.response_started or not self.cycle.more_body or bool(self.pipeline)


def _head_too_large() -> Problem:
    words = f"The head of a request may have {HEADER_BYTES_MAX:,} bytes, and {HEADERS_MAX} headers."
    return Problem(431, "HEAD_TOO_LARGE", words, headers=ALWAYS)


def _connections(waiting: Waiting) -> Any:
    """What uvicorn makes a connection with."""
    most = connections_max(CONNECTIONS_MAX)
    make = partial(_Connection, waiting=waiting, turns=Turns(), connections=most)
    buffer = bytearray(READ_BYTES_MAX)
    return lambda **of_uvicorn: SmallReads(make(**of_uvicorn), buffer)


class _Server(uvicorn.Server):
    """Without uvicorn's own handlers of signals: the process ends in its own order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield
