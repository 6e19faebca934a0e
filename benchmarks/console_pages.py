"""(j) The console in a browser: what a first visit loads, and how busy changes keep a page."""

import asyncio
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Figure, percentile

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
READY = "Press Ctrl-C"
DRIVER = "playwright"
# Fifty changes a second.
CHANGE_MS = 20
# After the heading: the stream never ends, so that the network is never idle.
SETTLED_MS = 1_500
VIEWPORT = {"width": 1280, "height": 900}
OWN_STORE = (
    "const own = document.querySelector('script[src$=\"/main.js\"]').src;"
    "const store = await import(own.replace('main.js', 'store.js'));"
)
FIRST_PAINT = """() => performance.getEntriesByName('first-contentful-paint')[0].startTime"""
FILL = f"""async (count) => {{
    {OWN_STORE}
    const scope = {{ year: 2024, module: 'MODULE_PROFESSIONAL_TRAVEL', unit: '' }};
    store.take({{ pipelines: Array.from({{ length: count }}, (_, number) => ({{
        pipeline_id: String(1000000 + number), version: '1', kind: 'csv_ingest', scope,
        status: 'PIPELINE_STATUS_RUNNING', submitted_by: 'somebody',
        created_at: '2026-01-01T00:00:00Z' }})) }});
}}"""
SHOWN = "(count) => document.querySelectorAll('tbody tr').length === count"
# A message for each change, as if nothing joined them; the gateway joins those of a second.
CHANGE = f"""async ([count, pause]) => {{
    {OWN_STORE}
    const rows = [...store.pipelines.value.values()];
    for (let number = 0; number < count; number += 1) {{
        const old = rows[number * 7 % rows.length];
        const status = number % 2 ? 'PIPELINE_STATUS_RUNNING' : 'PIPELINE_STATUS_SUCCESS';
        store.take({{ pipelines: [{{ ...old, version: String(10 + number), status }}] }});
        await new Promise((resolve) => setTimeout(resolve, pause));
    }}
}}"""


@dataclass(frozen=True)
class Sizes:
    """Visits to take the median of, rows on a page, and seconds of changes."""

    visits: int
    rows: int
    seconds: int


def chromium() -> str:
    """Where Chromium is; "" if it or its driver is not installed."""
    found = os.environ.get("CARBONLINE_CHROMIUM") or shutil.which("chromium") or ""
    return found if importlib.util.find_spec(DRIVER) else ""


async def measure(sizes: Sizes) -> list[Figure]:
    """Nothing, and a sentence, without Chromium and its driver, which `make browser` installs.

    In CI, which has both, raises RuntimeError.
    """
    path = chromium()
    if not path:
        words = "no Chromium, or no driver of it; see `make console-test`"
        if os.environ.get("CI") == "true":
            raise RuntimeError(words)
        print(f"(j) left out: {words}", flush=True)
        return []
    # Not in the environment of who measures the scheduler alone.
    api = importlib.import_module(f"{DRIVER}.async_api")
    with TemporaryDirectory() as folder:
        async with _stack(Path(folder)) as url, api.async_playwright() as driver:
            arguments = ["--no-sandbox", "--disable-background-networking"]
            browser = await driver.chromium.launch(executable_path=path, args=arguments)
            try:
                token = (Path(folder) / "token").read_text("ascii").strip()
                return [
                    *await _first_visits(browser, url, token, sizes.visits),
                    *await _changes(browser, url, token, sizes),
                ]
            finally:
                await browser.close()


@asynccontextmanager
async def _stack(folder: Path) -> AsyncIterator[str]:
    """The console's address of a stack without workers."""
    command = ["-m", "carbonline.program", "up", "--workers", "0", "--console-port", "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        "--data-folder",
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        # What it says while it starts and stops; the logs of its processes stand in the folder.
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        url = ""
        async for line in process.stdout:
            if found := ADDRESS.search(line.decode()):
                url = found[0]
            if READY in line.decode():
                break
        if not url:
            raise RuntimeError("the stack ended before it was ready")
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _first_visits(browser: Any, url: str, token: str, visits: int) -> list[Figure]:
    """With nothing in the cache: the login, and the start page of somebody who is logged in."""
    return [
        *await _pages(browser, url, "", "/login", "first visit", visits),
        *await _pages(browser, url, token, "/", "start page, logged in", visits),
    ]


async def _pages(
    browser: Any, url: str, token: str, path: str, name: str, visits: int
) -> list[Figure]:
    paints, totals = [], []
    for _ in range(visits):
        context = await _visitor(browser, url, token)
        page = await context.new_page()
        finished: list[Any] = []
        page.on("requestfinished", lambda request, kept=finished: kept.append(request))
        await page.goto(f"{url}{path}")
        await page.locator("h1").first.wait_for()
        await page.wait_for_timeout(SETTLED_MS)
        paints.append(await page.evaluate(FIRST_PAINT))
        sizes = [await one.sizes() for one in finished]
        totals.append((sum(one["responseBodySize"] for one in sizes), len(sizes)))
        await context.close()
    size, requests = max(totals)
    return [
        Figure(f"{name}, on the wire", size / 1000, "kB"),
        Figure(name, requests, "requests"),
        Figure(f"{name}, first paint, p50", percentile(paints, 0.5), "ms"),
    ]


async def _visitor(browser: Any, url: str, token: str) -> Any:
    context = await browser.new_context(viewport=VIEWPORT)
    if token:
        await context.add_cookies([{"name": "carbonline", "value": token, "url": url}])
    return context


async def _changes(browser: Any, url: str, token: str, sizes: Sizes) -> list[Figure]:
    context = await _visitor(browser, url, token)
    page = await context.new_page()
    await page.goto(f"{url}/pipelines")
    await page.get_by_text("Live").first.wait_for()
    metrics = await context.new_cdp_session(page)
    await page.locator("main p").filter(has_text="No pipeline").wait_for()
    # CPU time of the thread: a machine that does other things, too, changes it less.
    await metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = await _read(metrics)
    await page.evaluate(FILL, sizes.rows)
    await page.wait_for_function(SHOWN, arg=sizes.rows)
    filled = await _read(metrics)
    await page.evaluate(CHANGE, [sizes.seconds * 1000 // CHANGE_MS, CHANGE_MS])
    changed = await _read(metrics)
    await context.close()
    busy = changed["TaskDuration"] - filled["TaskDuration"]
    name = f"{sizes.rows:,} rows"
    return [
        Figure(
            f"{name}, drawn, main thread",
            (filled["TaskDuration"] - before["TaskDuration"]) * 1e3,
            "ms",
        ),
        Figure(f"{name}, {sizes.seconds} s of 50 changes/s, main thread", busy, "s"),
        Figure(f"{name}, JavaScript heap", changed["JSHeapUsedSize"] / 1e6, "MB"),
    ]


async def _read(metrics: Any) -> dict[str, float]:
    answer = await metrics.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in answer["metrics"]}
