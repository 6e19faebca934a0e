"""Every page, visited once: what axe, a narrow screen, a finger and large text find on it.

The criteria are those of WCAG 2.2 AA; what is not the same on every page is in test_checklist.py.
"""

from typing import Any

import pytest

from tests.browser.axe_in_every_look import NARROW, axe_finds
from tests.browser.conftest import Tabs
from tests.browser.settling import settled
from tests.browser.test_pages import PAGES

WIDE = {"width": 1280, "height": 900}
# 2.5.8: less than 24 pixels of something that is pressed.
SMALL = """() => [...document.querySelectorAll('button, select, input, summary, header a, .chip')]
    .filter((one) => one.checkVisibility() && !one.closest('.off-screen'))
    .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, box]) => Math.min(box.width, box.height) < 24)
    .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""
# 1.3.1: tables without captions or heads, and what scrolls without a name.
UNNAMED = """() => [
    ...[...document.querySelectorAll('table')].flatMap((table) => [
        ...(table.caption?.textContent.trim() ? [] : ['no caption']),
        ...[...table.querySelectorAll('th:not([scope])')].map((one) => one.outerHTML),
    ]),
    ...[...document.querySelectorAll('*')]
        .filter((one) => ['auto', 'scroll'].includes(getComputedStyle(one).overflowX))
        .filter((one) => one.tabIndex !== 0 || one.role !== 'region' || !one.ariaLabel)
        .map((one) => one.outerHTML.slice(0, 80)),
]"""
# 1.4.12
SPACING = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important;
        word-spacing: .16em !important; } p { margin-bottom: 2em !important; }`);
    document.adoptedStyleSheets = [sheet];
}"""
# Buttons, labels and badges whose text is cut.
CUT = """() => [...document.querySelectorAll('button, .badge, label, th, td, p, dt, dd, h1, li')]
    .filter((one) => one.checkVisibility() && !one.closest('.off-screen')
        && !one.classList.contains('off-screen'))
    .filter((one) => getComputedStyle(one).overflowX !== 'visible'
        && one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.outerHTML.slice(0, 80))"""
WIDTH = "document.documentElement.scrollWidth"
FONT = "(size) => { document.documentElement.style.fontSize = size; }"


def _cut(page: Any) -> list[str]:
    """What is cut on a wide screen, and a page that is wider than it."""
    width = page.evaluate(WIDTH)
    found: list[str] = page.evaluate(CUT)
    return found + ([f"{width} pixels"] if width > WIDE["width"] else [])


def _faults_of(page: Any) -> dict[str, Any]:
    """By what is at fault. Leaves the page large and spaced."""
    page.set_viewport_size(WIDE)
    faults = {"unnamed": page.evaluate(UNNAMED), "small": page.evaluate(SMALL)}
    faults |= {f"axe, {look}": found for look, found in axe_finds(page).items()}
    page.set_viewport_size(NARROW)
    faults["small where it is narrow"] = page.evaluate(SMALL)
    page.set_viewport_size(WIDE)
    page.evaluate(FONT, "200%")
    faults["cut where it is large"] = _cut(page)
    page.evaluate(FONT, "")
    page.evaluate(SPACING)
    faults["cut where it is spaced"] = _cut(page)
    return {name: found for name, found in faults.items() if found}


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_at_fault_on_any_page_in_any_look(tabs: Tabs, flown: None, path: str) -> None:
    tabs.expected = ("404",)
    page = tabs.open(path)
    settled(page)
    assert page.locator("html").get_attribute("lang") == "en"
    assert _faults_of(page) == {}


def test_titles_differ(tabs: Tabs) -> None:
    tabs.expected = ("404",)
    page = tabs.open("/login")
    titles = {}
    for path in (
        "/years/2024",
        "/years/1999",
        "/upload?year=2024",
        "/pipelines",
        "/pipelines/1",
        "/totals?year=2024",
        "/rejected/1",
        "/health",
        "/login",
        "/docs",
    ):
        page.goto(tabs.site.url + path)
        settled(page)
        titles[path] = page.title()
    assert len(set(titles.values())) == len(titles), titles
