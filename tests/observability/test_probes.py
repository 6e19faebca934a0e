"""The probes of each process: while PostgreSQL starts, while it serves, and while it drains."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path

import pytest

from carbonline.serving.metrics_address import MetricsAddress
from tests.carbonline.serving.processes import PROGRAMS, process, settings_of
from tests.carbonline.serving.starting_postgres import starting_postgres
from tests.carbonline.serving.test_metrics_port import got
from tests.ports import free_ports

SECONDS_MAX = 60.0


async def until(
    running: Process, address: MetricsAddress, path: str, wanted: Callable[[int, str], bool]
) -> None:
    """Asks until the answer is as wanted. The process has not ended meanwhile."""
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            assert running.returncode is None
            try:
                if wanted(*await got(address, path)):
                    return
            except OSError:
                pass
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", PROGRAMS)
async def test_who_waits_for_postgresql_is_alive_and_not_ready(
    name: str, database_url: str, tmp_path: Path
) -> None:
    address = MetricsAddress(free_ports(1))
    async with starting_postgres(database_url, tmp_path) as (postgres, url):
        given = {**settings_of(url, tmp_path), "METRICS_PORT": str(address.port)}
        async with process(*PROGRAMS[name], **given) as running:
            await until(
                running,
                address,
                "/readyz",
                lambda code, text: code == 503 and "starting up" in text,
            )
            assert await got(address, "/livez") == (200, "ok\n")
            postgres.is_up.set()
            await until(running, address, "/readyz", lambda code, _: code == 200)
            running.send_signal(signal.SIGTERM)
            await asyncio.wait_for(running.communicate(), SECONDS_MAX)
            assert running.returncode == 0


async def test_a_gateway_is_ready_when_the_services_are(database_url: str, tmp_path: Path) -> None:
    address, own = MetricsAddress(free_ports(1)), settings_of(database_url, tmp_path)
    del own["DRAIN_GRACE_SECONDS"]
    gateway = {
        "GATEWAY_ADDRESS": f"127.0.0.1:{free_ports(1)}",
        "SCHEDULER_ADDRESS": own["SCHEDULER_ADDRESS"],
        "LEDGER_ADDRESS": own["LEDGER_ADDRESS"],
        "METRICS_PORT": str(address.port),
    }
    async with process("-m", "gateway_service", **gateway) as running:
        await until(
            running,
            address,
            "/readyz",
            lambda code, text: code == 503 and "the scheduler does not answer" in text,
        )
        assert await got(address, "/livez") == (200, "ok\n")
        async with process(*PROGRAMS["scheduler"], **own), process(*PROGRAMS["ledger"], **own):
            await until(running, address, "/readyz", lambda code, _: code == 200)


async def test_a_taken_port_ends_the_process_with_a_sentence(
    database_url: str, tmp_path: Path
) -> None:
    given = {**settings_of(database_url, tmp_path), "METRICS_HOST": "192.0.2.1"}
    async with process(*PROGRAMS["scheduler"], **given, METRICS_PORT="9100") as running:
        _, said = await asyncio.wait_for(running.communicate(), SECONDS_MAX)
    assert running.returncode == 2
    assert b"metrics cannot be served on 192.0.2.1:9100" in said
