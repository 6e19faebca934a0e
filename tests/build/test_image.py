"""The image is built, and its processes run as docker-compose.yml starts them."""

import csv
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from carbonline.command.demo import YEAR, find_files
from tests.acceptance.acceptance_run import RELATIVE, recomputed, write_some_flights
from tests.build.built_image import BuiltImage, why_not
from tests.build.compose_file import environment_of, mounts_of, services
from tests.ports import free_ports

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]

OWNER = 10001
CLIENT = f"1000:{OWNER}"
SECONDS_MAX = 120
DATABASE_SOCKETS = "/run/database"


@dataclass
class ImageStack:
    """The services of docker-compose.yml on containers of the image, beside a PostgreSQL."""

    image: BuiltImage
    container: str
    folder: Path
    database_url: str
    database_sockets: Path

    def command(self, service: str, *arguments: str, user: str = "") -> list[str]:
        """What starts a service's process as the file says, or other `arguments` in its place."""
        given = {
            name: value
            for name, value in environment_of(service).items()
            if name != "CARBONLINE_METRICS_PORT"
        }
        if "CARBONLINE_DATABASE_URL" in given:
            given["CARBONLINE_DATABASE_URL"] = self.database_url
        # Containers have a network each, and these have that of the machine.
        if "CARBONLINE_METRICS_PORT" in environment_of(service):
            given["CARBONLINE_METRICS_PORT"] = str(free_ports(1))
        mounts = {its: self._ours(volume) for its, volume in mounts_of(service).items()}
        return self.image.running(
            self.container,
            arguments or services()[service]["command"],
            environment=given,
            mounts={**mounts, DATABASE_SOCKETS: self.database_sockets},
            user=user,
        )

    def _ours(self, volume: str) -> Path:
        return self.folder / ("files" if volume == "." else volume)

    def client(self, *arguments: str) -> str:
        """What a command of the client prints; the file's entry point is `carbonline`."""
        done = subprocess.run(
            self.command("client", "carbonline", *arguments, user=CLIENT),
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            cwd="/",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def page(self, path: str, token: str) -> Any:
        """What the gateway answers, as JSON, once it is there."""
        port = environment_of("gateway")["CARBONLINE_GATEWAY_ADDRESS"].rpartition(":")[2]
        asked = urllib.request.Request(
            f"http://localhost:{port}{path}", headers={"authorization": f"Bearer {token}"}
        )
        until = time.monotonic() + SECONDS_MAX
        while True:
            try:
                with urllib.request.urlopen(asked, timeout=SECONDS_MAX) as answer:
                    return json.load(answer)
            except OSError:
                assert time.monotonic() < until, (self.folder / "gateway.log").read_text()
                time.sleep(0.2)

    @contextmanager
    def started(self, service: str) -> Iterator[subprocess.Popen[bytes]]:
        """A service that is healthy by its own check; told to stop at the end, and ends well."""
        log = self.folder / f"{service}.log"
        with log.open("wb") as lines:
            process = subprocess.Popen(
                self.command(service), stdout=lines, stderr=lines, start_new_session=True
            )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(SECONDS_MAX)

    def wait_until_healthy(self, service: str) -> None:
        """Asks as the engine does, by the service's own check, until it is answered well."""
        check = services()[service]["healthcheck"]["test"][1:]
        until = time.monotonic() + SECONDS_MAX
        while subprocess.run(
            self.command(service, *check), check=False, capture_output=True
        ).returncode:
            assert time.monotonic() < until, (self.folder / f"{service}.log").read_text()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuiltImage]:
    folder = tmp_path_factory.mktemp("image")
    built = BuiltImage(folder)
    try:
        built.build()
        yield built
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def stack(image: BuiltImage, tmp_path: Path, database_url: str) -> ImageStack:
    for volume, mode in {"sockets": 0o770, "blobs": 0o700}.items():
        (tmp_path / volume).mkdir(mode)
        os.chown(tmp_path / volume, OWNER, OWNER)
    (tmp_path / "files").mkdir()
    os.chown(tmp_path / "files", 1000, 1000)
    parts = urlsplit(database_url)
    sockets = Path(parse_qs(parts.query)["host"][0])
    # The embedded server lets in who started it only; the image has a user of its own.
    for path in (sockets, *sockets.iterdir()):
        path.chmod(0o777)
    moved = parts._replace(query=f"host={DATABASE_SOCKETS}").geturl()
    return ImageStack(image, image.container(), tmp_path, moved, sockets)


def ran(stack: ImageStack, *command: str, user: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        stack.command("client", *command, user=user), check=False, capture_output=True, text=True
    )


def test_the_image_has_no_build_tools_no_pip_and_no_postgresql(stack: ImageStack) -> None:
    for name in ("pip", "postgresql", "setuptools", "grpc_tools", "pytest"):
        there = ran(
            stack, "python", "-c", f"import importlib.util as u; print(u.find_spec('{name}'))"
        )
        assert there.stdout == "None\n", there
    assert ran(stack, "id", "-u").stdout == f"{OWNER}\n"


def test_flights_become_totals_on_containers_of_the_image(stack: ImageStack) -> None:
    flights = write_some_flights(stack.folder / "files" / "flights.csv.gz")
    for name in ("units.csv", "factors_plane_2024.csv"):
        shutil.copy(find_files() / name, stack.folder / "files")
    year = ("--year", str(YEAR))
    files = "/files/"
    for once in ("migrate", "token"):
        subprocess.run(stack.command(once), check=True, timeout=SECONDS_MAX)
    with ExitStack() as running:
        for service in ("scheduler", "ledger"):
            running.enter_context(stack.started(service))
            stack.wait_until_healthy(service)
        running.enter_context(stack.started("worker"))
        stack.client("load", "units", f"{files}units.csv", *year)
        stack.client("load", "locations")
        factors = f"{files}factors_plane_2024.csv"
        stack.client("load", "factors", factors, "--type", "plane", *year)
        stack.client("submit", f"{files}flights.csv.gz", "--type", "plane", *year)
        stack.client("totals", *year, "-o", f"{files}totals.csv")
        running.enter_context(stack.started("gateway"))
        token = (stack.folder / "sockets" / "token").read_text().strip()
        assert stack.page("/v1/me", token)["roles"]
    with (stack.folder / "files" / "totals.csv").open(newline="") as totals:
        found = {row["unit"]: float(row["total_kg"]) for row in csv.DictReader(totals)}
    found["total"] = sum(found.values())
    assert found == pytest.approx(recomputed(flights).kg, rel=RELATIVE)
