"""What axe finds on a page, in light and dark, with forced colours and at 320 pixels."""

from typing import Any

import pytest

axe = pytest.importorskip("axe_playwright_python.base", reason="`make console-test` has it")

# What is said and what is seen are compared too, which axe does where it is asked to.
ALL = {"rules": {"label-content-name-mismatch": {"enabled": True}}}
# What another look of the same elements changes.
OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
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
        found[name] = _violations(page, ALL if name == "light" else OF_COLOURS)
    page.set_viewport_size(NARROW)
    width = page.evaluate("document.documentElement.scrollWidth")
    found["narrow"] = _violations(page, ALL) + ([width] if width > NARROW["width"] else [])
    return {name: faults for name, faults in found.items() if faults}


def _violations(page: Any, rules: dict[str, Any]) -> list[Any]:
    broken = page.evaluate("(rules) => axe.run(rules)", rules)["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200], _why(one["nodes"][0])) for one in broken]


def _why(node: dict[str, Any]) -> list[str]:
    """Of a contrast, the two colours: they tell a faulty style from what was between two looks."""
    return [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
