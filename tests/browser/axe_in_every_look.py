"""What axe finds on a page, in light and dark, with forced colours and at 320 pixels."""

from typing import Any

import pytest

axe = pytest.importorskip("axe_playwright_python.base", reason="`make console-test` has it")

NARROW = {"width": 320, "height": 640}
# What is wider than the screen, apart from what scrolls by itself.
WIDER = """() => [...document.querySelectorAll('main *, header *')]
    .filter((one) => one.checkVisibility() && !one.closest('.off-screen, .scroll, svg'))
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .map((one) => one.outerHTML.slice(0, 100))"""


def axe_finds(page: Any) -> dict[str, list[Any]]:
    """Faults by look, and a page that is wider than a narrow screen; {} for a page without any."""
    page.evaluate(axe.AXE_SCRIPT)
    found = {}
    for name, scheme, forced in (
        ("dark", "dark", "none"),
        ("forced", "light", "active"),
        ("light", "light", "none"),
    ):
        page.emulate_media(color_scheme=scheme, forced_colors=forced)
        found[name] = _violations(page)
    page.set_viewport_size(NARROW)
    width = page.evaluate("document.documentElement.scrollWidth")
    found["narrow"] = _violations(page) + ([width] if width > NARROW["width"] else [])
    return {name: faults for name, faults in found.items() if faults}


def _violations(page: Any) -> list[Any]:
    broken = page.evaluate("axe.run()")["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in broken]
