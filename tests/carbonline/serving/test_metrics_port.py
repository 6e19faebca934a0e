"""The port of metrics and probes: what each path answers, and what strangers cannot do to it."""

import asyncio
import contextlib
import http.client
import socket
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter

from carbonline.serving import metrics_port
from carbonline.serving.metrics_address import MetricsAddress
from carbonline.serving.metrics_port import DRAINING, REQUESTS_MAX, STARTING, Probes, metrics_served
from tests.ports import free_ports

HANGS_SECONDS = 0.3


@asynccontextmanager
async def serving(probes: Probes, host: str = "127.0.0.1") -> AsyncIterator[MetricsAddress]:
    registry = CollectorRegistry()
    Counter("things", "Things", registry=registry).inc()
    address = MetricsAddress(free_ports(1), host)
    with metrics_served(registry, address, probes):
        yield address


def get(address: MetricsAddress, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


async def got(address: MetricsAddress, path: str) -> tuple[int, str]:
    return await asyncio.to_thread(get, address, path)


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as trial:
        try:
            trial.bind(("::1", 0))
        except OSError:
            return False
    return True


ON_IPV6 = pytest.param(
    "::1", marks=pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", ON_IPV6])
async def test_metrics_and_probes_have_paths_of_their_own(host: str) -> None:
    probes = Probes()
    async with serving(probes, host) as address:
        status, text = await got(address, "/metrics")
        assert (status, "things_total 1.0" in text) == (200, True)
        assert await got(address, "/livez") == (200, "ok\n")
        assert await got(address, "/readyz") == (503, f"{STARTING}\n")
        probes.report("")
        assert await got(address, "/readyz") == (200, "ok\n")
        probes.report("the database does not answer")
        assert await got(address, "/readyz") == (503, "the database does not answer\n")
        assert (await got(address, "/livez"))[0] == 200
        status, text = await got(address, "/")
        assert (status, "/livez" in text) == (404, True)


async def test_a_process_that_drains_is_not_ready_again() -> None:
    probes = Probes()
    async with serving(probes) as address:
        probes.report(DRAINING)
        probes.report("")
        assert await got(address, "/readyz") == (503, f"{DRAINING}\n")


async def test_what_is_looked_at_is_looked_at_for_each_probe() -> None:
    faults = iter(["the ledger is not ready", ""])

    async def look() -> str:
        return next(faults)

    probes = Probes(look)
    probes.report("")
    async with serving(probes) as address:
        assert await got(address, "/readyz") == (503, "the ledger is not ready\n")
        assert await got(address, "/readyz") == (200, "ok\n")


async def test_a_loop_that_hangs_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_port, "LOOK_SECONDS_MAX", HANGS_SECONDS)
    async with serving(Probes()) as address:
        asking = asyncio.create_task(got(address, "/livez"))
        await asyncio.sleep(0)
        time.sleep(3 * HANGS_SECONDS)  # noqa: ASYNC251  the loop hangs
        status, text = await asking
        assert (status, "the event loop has not answered" in text) == (503, True)
        assert await got(address, "/livez") == (200, "ok\n")


async def test_connections_that_say_nothing_end_and_others_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics_port, "IDLE_SECONDS", HANGS_SECONDS)
    async with serving(Probes()) as address:
        there = (address.host, address.port)
        silent = [socket.create_connection(there, timeout=10) for _ in range(REQUESTS_MAX)]
        try:
            ended = [asyncio.to_thread(one.recv, 1) for one in silent]
            assert await asyncio.gather(*ended) == [b""] * REQUESTS_MAX
            assert await got(address, "/livez") == (200, "ok\n")
        finally:
            for one in silent:
                one.close()


def drip(connection: socket.socket) -> None:
    """Send a head that never ends in drops, until the server closes."""
    connection.settimeout(HANGS_SECONDS / 10)
    with contextlib.suppress(ConnectionError):
        connection.sendall(b"GET /livez HTTP/1.0\r\nx: ")
        while True:
            connection.sendall(b"a")
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                pass


async def test_a_head_that_drips_ends_as_a_silent_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics_port, "IDLE_SECONDS", HANGS_SECONDS)
    async with serving(Probes()) as address:
        with socket.create_connection((address.host, address.port)) as one:
            async with asyncio.timeout(20):
                await asyncio.to_thread(drip, one)


async def test_who_sends_no_request_gives_way_to_who_does() -> None:
    async with serving(Probes()) as address:
        there = (address.host, address.port)
        silent = [socket.create_connection(there, timeout=10) for _ in range(REQUESTS_MAX)]
        try:
            assert await got(address, "/livez") == (200, "ok\n")
            # The one that has waited longest, and no other.
            assert await asyncio.to_thread(silent[0].recv, 1) == b""
            silent[1].sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            assert (await asyncio.to_thread(silent[1].recv, 15)) == b"HTTP/1.0 200 OK"
        finally:
            for one in silent:
                one.close()


async def test_who_has_asked_gives_way_to_nobody() -> None:
    asked, answer = asyncio.Semaphore(0), asyncio.Event()

    async def look() -> str:
        asked.release()
        await answer.wait()
        return ""

    probes = Probes(look)
    probes.report("")
    async with serving(probes) as address:
        pool = ThreadPoolExecutor(REQUESTS_MAX)
        waiting = [pool.submit(get, address, "/readyz") for _ in range(REQUESTS_MAX)]
        for _ in waiting:
            await asked.acquire()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            await got(address, "/livez")
        answer.set()
        assert (
            await asyncio.gather(*map(asyncio.wrap_future, waiting))
            == [(200, "ok\n")] * REQUESTS_MAX
        )


async def test_a_taken_port_is_said() -> None:
    async with serving(Probes()) as address:
        with (
            pytest.raises(OSError, match=f"metrics cannot be served on {address}: "),
            metrics_served(CollectorRegistry(), address, Probes()),
        ):
            pass


async def test_requests_that_got_no_thread_leave_their_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if "process_request_thread" in thread.name:
            raise RuntimeError("can't start new thread")
        begin(thread)

    async with serving(Probes()) as address:
        with monkeypatch.context() as without:
            without.setattr(threading.Thread, "start", refuse)
            for _ in range(REQUESTS_MAX):
                with pytest.raises((ConnectionError, http.client.HTTPException)):
                    await got(address, "/livez")
        assert await got(address, "/livez") == (200, "ok\n")
