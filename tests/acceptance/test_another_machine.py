"""A worker and a person on another machine: a network of their own, from which one address is
reached. The person has that address, the authority and a token; a worker has the ledger's database
and the files besides, as deployments give them to it.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.acceptance_run import FLIGHTS, recomputed
from tests.acceptance.test_over_the_network import Site, has_started
from tests.carbonline.serving.processes import PROGRAMS, line_like, process

NAME = "servers.example"
COMMANDS = (
    ("load", "units", "units.csv", "--year", "2024"),
    ("load", "locations"),
    ("load", "factors", "factors_plane_2024.csv", "--type", "plane", "--year", "2024"),
    ("submit", FLIGHTS.name, "--type", "plane", "--year", "2024", "--yes"),
)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def why_not() -> str:
    """Why no network can be made here; "" if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root of a Linux makes a network"
    if shutil.which("ip") is None:
        return "ip is not installed"
    trial = f"carbonline-{os.getpid()}"
    try:
        ip("netns", "add", trial)
        ip("netns", "delete", trial)
    except subprocess.CalledProcessError as refused:
        return f"no network can be made: {refused.stderr.strip()}"
    return ""


WHY_NOT = why_not()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "it can be")]


class Machine:
    """A network that has one line to ours. Nothing of ours is reached but at our end of it."""

    def __init__(self, number: int) -> None:
        self.name, self._ours = f"carbonline-{number}", f"cl{number}"
        self.our_address = f"10.203.{number % 250}.1"
        self._address = f"10.203.{number % 250}.2"

    def make(self, folder: Path) -> None:
        ip("netns", "add", self.name)
        ip("link", "add", self._ours, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("address", "add", f"{self.our_address}/30", "dev", self._ours)
        ip("link", "set", self._ours, "up")
        ip("-n", self.name, "address", "add", f"{self._address}/30", "dev", "eth0")
        ip("-n", self.name, "link", "set", "eth0", "up")
        # `ip netns exec` shows it as /etc/hosts.
        folder.mkdir(parents=True)
        (folder / "hosts").write_text(f"{self.our_address} {NAME}\n")

    def remove(self, folder: Path) -> None:
        subprocess.run(["ip", "netns", "delete", self.name], check=False)
        shutil.rmtree(folder, ignore_errors=True)

    def running(self, *words: str) -> tuple[str, ...]:
        return ("netns", "exec", self.name, *words)


@pytest.fixture
def machine() -> Iterator[Machine]:
    machine = Machine(os.getpid())
    folder = Path("/etc/netns") / machine.name
    try:
        machine.make(folder)
        yield machine
    finally:
        machine.remove(folder)


@pytest.fixture
async def site(database_url: str, tmp_path: Path, machine: Machine) -> AsyncIterator[Site]:
    """Scheduler and ledger process here, and a worker there."""
    site = Site(tmp_path, host=NAME)
    own = {
        name: f"{machine.our_address}:{address.rpartition(':')[2]}"
        for name, address in (("scheduler", site.scheduler), ("ledger", site.ledger))
    }
    shared = {"DATABASE_URL": database_url, "BLOB_FOLDER": str(tmp_path / "blobs")}
    tls = site.server_settings
    async with AsyncExitStack() as stack:
        for name, address in own.items():
            settings = {**shared, **tls, f"{name.upper()}_ADDRESS": address}
            running = await stack.enter_async_context(process(*PROGRAMS[name], **settings))
            await line_like(running, partial(has_started, name))
        worker = machine.running(sys.executable, *PROGRAMS["worker"])
        settings = {**shared, **site.worker_settings, "SCHEDULER_ADDRESS": site.scheduler}
        running = await stack.enter_async_context(process(*worker, program="ip", **settings))
        await line_like(running, partial(has_started, "worker"))
        yield site


class Person:
    """Types commands there, in a folder with a token, the authority and files of their own."""

    def __init__(self, machine: Machine, site: Site, folder: Path) -> None:
        self._machine, self._folder = machine, folder
        folder.mkdir()
        token = site.token_file("ann", role="gateway", tenants=["north"])
        certificate, key = site.authority.issue("ann")
        for path in (token, site.authority.ca, certificate, key, *FLIGHTS.parent.iterdir()):
            if path.is_file():
                shutil.copy(path, folder)
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CARBONLINE_SCHEDULER_ADDRESS": site.scheduler,
            "CARBONLINE_LEDGER_ADDRESS": site.ledger,
            "CARBONLINE_TOKEN_FILE": token.name,
            "CARBONLINE_TLS_CA": site.authority.ca.name,
            "CARBONLINE_TLS_CERT": certificate.name,
            "CARBONLINE_TLS_KEY": key.name,
        }

    async def type(self, *words: str) -> str:
        """What is printed."""
        program = (sys.executable, "-m", "carbonline.command.main")
        done = await asyncio.create_subprocess_exec(
            "ip",
            *self._machine.running(*program, *words),
            cwd=self._folder,
            env=self._environment,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
        )
        printed, _ = await done.communicate()
        assert done.returncode in (0, 3), printed.decode()
        return printed.decode()


async def test_the_demo_s_file_becomes_its_totals_from_another_machine(
    site: Site, machine: Machine, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as here:
        reach = f"import socket; socket.create_connection(('127.0.0.1', {here.getsockname()[1]}))"
        reached = await asyncio.create_subprocess_exec(
            "ip", *machine.running(sys.executable, "-c", reach), stderr=DEVNULL
        )
        assert await reached.wait() != 0, "it is this machine"
    ann = Person(machine, site, tmp_path / "ann")
    for words in COMMANDS:
        await ann.type(*words)
    total = f"{recomputed(FLIGHTS).kg['total']:,.3f}"
    assert total in await ann.type("totals", "--year", "2024")
