"""A browser before a stack that `carbonline up` runs. Errors that a page reports fail its test."""

import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from carbonline.client.sync_client import Client
from carbonline.command.demo import find_files
from tests.browser.scripted_stack import Scripted, scripted_stack

playwright = pytest.importorskip(
    "playwright.sync_api", reason="a browser's driver: `make console-test` installs it"
)

CHROMIUM = os.environ.get("CARBONLINE_CHROMIUM") or shutil.which("chromium") or ""
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
READY = "Press Ctrl-C"
YEARS = (2024, 2023)


@dataclass(frozen=True)
class Site:
    """A stack with units, places and factors of two years, and where its console is."""

    url: str
    folder: Path
    token: str

    def client(self) -> Client:
        """The Python client of the same stack."""
        return Client.local(self.folder)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One stack for all tests. Each test has a data-entry type or a year of its own."""
    folder = tmp_path_factory.mktemp("console") / "data"
    command = [sys.executable, "-m", "carbonline.program", "up", "--console-port", "0"]
    process = subprocess.Popen(
        [*command, "--data-folder", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            if found := ADDRESS.search(line):
                url = found[0]
            if READY in line:
                break
        assert url, "the stack did not start"
        one = Site(url.rstrip("/"), folder, (folder / "token").read_text().strip())
        with one.client() as client:
            for year in YEARS:
                client.load_units(find_files() / "units.csv", year=year)
                client.load_factors(find_files() / "factors_plane_2024.csv", "plane", year=year)
            client.load_locations()
        yield one
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture(scope="session")
def chromium(migrated_template: str) -> Iterator[Any]:
    """Debian's Chromium, without a window. The database server starts before, in the main thread:
    the server ends with the thread that started it."""
    assert migrated_template
    if not CHROMIUM:
        reason = "no Chromium: apt install chromium, or set CARBONLINE_CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@dataclass
class Tabs:
    """Tabs of one person's browser, and the faults that any of them reported."""

    context: Any
    site: Site
    faults: list[str] = field(default_factory=list)
    # What a test breaks on purpose.
    expected: tuple[str, ...] = ()

    def open(self, path: str) -> Any:
        """A new tab at a path."""
        page = self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self._fault(str(error)))
        page.goto(self.site.url + path)
        return page

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._fault(message.text)

    def _fault(self, text: str) -> None:
        if not any(part in text for part in self.expected):
            self.faults.append(text)


def tabs_of(chromium: Any, site: Site, *, signed_in: bool, **options: Any) -> Iterator[Tabs]:
    """One browser's tabs, whose faults fail at the end; `options` are those of its context."""
    context = chromium.new_context(**{"locale": "en-GB", **options})
    # Ten times what a machine with nothing else to do needs: a busy one is not a fault of the page.
    context.set_default_timeout(60_000)
    # Told only to who listens: without it no request is ever known to have ended.
    for event in ("requestfinished", "requestfailed"):
        context.on(event, lambda request: None)
    if signed_in:
        context.add_cookies([{"name": "carbonline", "value": site.token, "url": site.url}])
    tabs = Tabs(context, site)
    yield tabs
    context.close()
    assert not tabs.faults


@pytest.fixture(scope="session")
def some_flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One flight in a hundred of the demo's."""
    file = tmp_path_factory.mktemp("flights") / "some_flights.csv"
    with gzip.open(find_files() / "flights.csv.gz", "rt") as flights, file.open("w") as some:
        some.writelines(line for number, line in enumerate(flights) if number % 100 == 0)
    return file


@pytest.fixture(scope="session")
def flown(site: Site, some_flights: Path) -> None:
    """A year with totals, 2024."""
    with site.client() as client:
        client.submit_file(some_flights, "plane", year=2024)


@pytest.fixture
def scripted(database_url: str, tmp_path: Path) -> Iterator[Scripted]:
    """Services without workers, of which the test decides what becomes of each job."""
    with scripted_stack(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def as_role(chromium: Any, scripted: Scripted) -> Iterator[Any]:
    """Makes tabs of somebody with one role, also for one unit, before the scripted services."""
    made = []

    def make(role: str, unit: str = "") -> Tabs:
        site = Site(scripted.url, Path(), f"{role}@local" + (f"+{unit}" if unit else ""))
        one = tabs_of(chromium, site, signed_in=True)
        made.append(one)
        return next(one)

    yield make
    for one in made:
        next(one, None)


@pytest.fixture
def tabs(chromium: Any, site: Site) -> Iterator[Tabs]:
    """Tabs of somebody who is logged in."""
    yield from tabs_of(chromium, site, signed_in=True)


@pytest.fixture
def stranger(chromium: Any, site: Site) -> Iterator[Tabs]:
    """Tabs of somebody who has not logged in."""
    yield from tabs_of(chromium, site, signed_in=False)


@pytest.fixture
def new_tabs(chromium: Any, site: Site) -> Iterator[Any]:
    """Makes tabs with other options, such as `color_scheme`."""
    made = []

    def make(**options: Any) -> Tabs:
        one = tabs_of(chromium, site, signed_in=True, **options)
        made.append(one)
        return next(one)

    yield make
    for one in made:
        next(one, None)
