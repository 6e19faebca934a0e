"""A gateway that is killed and comes back, under two tabs that nobody touches."""

import os
import signal
from pathlib import Path

from tests.browser.conftest import Tabs


def gateway_of(folder: Path) -> int:
    """The process of the stack's gateway."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            place = (process / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "gateway_service" in command and str(folder) in place:
            return int(process.name)
    raise AssertionError("no gateway runs")


def test_after_an_outage_every_tab_has_the_new_total_by_itself(
    tabs: Tabs, some_flights: Path, tmp_path: Path
) -> None:
    tabs.expected = ("ERR_", "Failed to load", "503", "502")
    with tabs.site.client() as client:
        client.submit_file(some_flights, "plane", year=2024)
        pages = [tabs.open("/years/2024") for _ in range(2)]
        for page in pages:
            page.get_by_text("Live").first.wait_for()
            page.get_by_text("Up to date").first.wait_for()
        before = [page.locator("#year-total").inner_text() for page in pages]
        os.kill(gateway_of(tabs.site.folder), signal.SIGKILL)
        for page in pages:
            page.get_by_text("No connection since").wait_for()
        # Fresh before the outage and fresh after it: nothing but the total has changed.
        smaller = tmp_path / "fewer_flights.csv"
        smaller.write_text("\n".join(some_flights.read_text().splitlines()[:200]) + "\n")
        client.submit_file(smaller, "plane", year=2024, take_away=True)
    for page, old in zip(pages, before, strict=True):
        page.get_by_text("Live").first.wait_for()
        page.locator("#year-total", has_not_text=old).wait_for()
