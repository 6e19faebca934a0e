"""Takes the pictures of docs/pictures, of the example university: `make pictures`.

Needs Chromium: apt install chromium, or set CARBONLINE_CHROMIUM.
"""

import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
UNIVERSITY = HERE.parent / "examples" / "university"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
READY = "Press Ctrl-C"
WIDTH = 1280
# A name, its height, where it is, and what is there once the page is whole.
PAGES = (
    ("console-year", 800, "/years/2024", "#year-total"),
    ("console-totals", 1130, "/totals?year=2024", ".treemap"),
)
THEMES = ("light", "dark")
CARBONLINE = (sys.executable, "-m", "carbonline.program")


def _driver() -> Any:
    """The browser's driver. Without `make browser` it is not there, and `make check` goes on."""
    return importlib.import_module("playwright.sync_api")


def main(to: Path) -> None:
    """Starts a stack with the university in it, and takes each picture."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        stack = subprocess.Popen(
            [*CARBONLINE, "up", "--console-port", "0", "--data-folder", str(data)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            address = _address(stack)
            seed = [*CARBONLINE, "seed", str(UNIVERSITY), "--data-folder", str(data)]
            subprocess.run(seed, check=True)
            _take(address, (data / "token").read_text().strip(), to)
        finally:
            stack.send_signal(signal.SIGINT)
            stack.communicate(timeout=60)


def _address(stack: subprocess.Popen[str]) -> str:
    assert stack.stdout is not None
    address = ""
    for line in stack.stdout:
        if found := ADDRESS.search(line):
            address = found[0].rstrip("/")
        if READY in line:
            return address
    raise SystemExit("the stack did not start")


def _take(address: str, token: str, to: Path) -> None:
    chromium = os.environ.get("CARBONLINE_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("no Chromium: apt install chromium, or set CARBONLINE_CHROMIUM")
    with _driver().sync_playwright() as driver:
        browser: Any = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for theme in THEMES:
            context = browser.new_context(
                locale="en-GB", color_scheme=theme, reduced_motion="reduce"
            )
            context.add_cookies([{"name": "carbonline", "value": token, "url": address}])
            page = context.new_page()
            for name, height, path, whole in PAGES:
                page.set_viewport_size({"width": WIDTH, "height": height})
                page.goto(address + path)
                page.locator(whole).first.wait_for()
                page.get_by_text("Live").first.wait_for()
                page.locator("[aria-busy=true]").first.wait_for(state="detached")
                suffix = "" if theme == THEMES[0] else f"-{theme}"
                page.screenshot(path=to / f"{name}{suffix}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "pictures")
