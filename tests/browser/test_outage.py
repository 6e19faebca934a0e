"""A gateway that is killed and comes back, under two tabs that nobody touches."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from carbonline.command.demo import find_files
from tests.browser.conftest import Tabs
from tests.browser.test_journey import RECORD, TRAVEL, in_order

# As stream.js has it.
SILENT_SECONDS_MAX = 25


def process_of(folder: Path, service: str) -> int:
    """The process of a service of the stack."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            place = (process / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if service in command and str(folder) in place:
            return int(process.name)
    raise AssertionError(f"no {service} runs")


def test_after_an_outage_every_tab_has_the_new_total_by_itself(
    tabs: Tabs, some_flights: Path, tmp_path: Path
) -> None:
    tabs.expected = ("ERR_", "Failed to load", "503", "502")
    tabs.context.clock.install()
    with tabs.site.client() as client:
        client.submit_file(some_flights, "plane", year=2024)
        pages = [tabs.open("/years/2024") for _ in range(2)]
        for page in pages:
            page.get_by_text("Live").first.wait_for()
            page.get_by_text("Up to date").first.wait_for()
        hangs_and_goes_on(tabs, pages)
        before = [page.locator("#year-total").inner_text() for page in pages]
        os.kill(process_of(tabs.site.folder, "gateway_service"), signal.SIGKILL)
        for page in pages:
            page.get_by_text("No connection since").wait_for()
        # Fresh before the outage and fresh after it: nothing but the total has changed.
        smaller = tmp_path / "fewer_flights.csv"
        smaller.write_text("\n".join(some_flights.read_text().splitlines()[:200]) + "\n")
        client.submit_file(smaller, "plane", year=2024, take_away=True)
    for page, old in zip(pages, before, strict=True):
        page.get_by_text("Live").first.wait_for()
        page.locator("#year-total", has_not_text=old).wait_for()


def hangs_and_goes_on(tabs: Tabs, pages: list[Any]) -> None:
    """A gateway that hangs ends no connection: its silence is what tells."""
    gateway = process_of(tabs.site.folder, "gateway_service")
    os.kill(gateway, signal.SIGSTOP)
    try:
        tabs.context.clock.fast_forward(SILENT_SECONDS_MAX * 1000)
        for page in pages:
            page.get_by_text("No connection since").wait_for()
    finally:
        os.kill(gateway, signal.SIGCONT)
    for page in pages:
        page.get_by_text("Live").first.wait_for()


@pytest.mark.parametrize("service", ["gateway_service", "scheduler_service"])
def test_the_badge_shows_nothing_else_whatever_drops_in_the_middle_of_an_upload(
    tabs: Tabs, service: str
) -> None:
    """Recorded in two tabs, each change of the words: recalculating, and then up to date."""
    tabs.expected = ("ERR_", "Failed to load", "503", "502")
    pages = [tabs.open("/years/2023") for _ in range(2)]
    for page in pages:
        page.get_by_text("Live").first.wait_for()
        page.locator(".tile", has_text=TRAVEL).first.wait_for()
        page.evaluate(RECORD, TRAVEL)
    with ThreadPoolExecutor(1) as threads:
        upload = threads.submit(_upload, tabs, service)
        for page in pages:
            page.locator(".badge-text", has_text="Recalculating").first.wait_for()
        os.kill(process_of(tabs.site.folder, service), signal.SIGKILL)
        for page in pages:
            page.get_by_text("No connection since").wait_for()
        assert upload.result(100) in ("success", "warning")
    for page in pages:
        page.evaluate("window.done")
        seen = page.evaluate("window.seen")
        assert in_order(seen), seen
        recalculating = [one for one in seen if one.startswith("Recalculating")]
        assert recalculating, seen
        assert seen[-len(recalculating) - 1 :] == [*recalculating, "Up to date"], seen


def _upload(tabs: Tabs, source: str) -> Any:
    """The flights of another source: the same ones again would be done at once."""
    with tabs.site.client() as client:
        return client.submit_file(
            find_files() / "flights.csv.gz", "plane", year=2023, source=source, take_away=True
        ).status
