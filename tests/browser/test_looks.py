"""What the console looks like elsewhere: on paper, with forced colours, in French."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Tabs
from tests.browser.settling import settled
from tests.browser.test_pages import PAGES

WORDS = Path(__file__).parents[2] / "gateway_service/console/static/words"
ENTRY = re.compile(r'^  "([^"]+)": "((?:[^"\\]|\\.)*)",$', re.MULTILINE)
# Longer texts hold names of files and what services answered, which are in English.
TEXTS = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (node.parentElement.closest('[lang]') === document.documentElement) {
            found.push(node.textContent.trim());
        }
    }
    return found;
}"""
SHEETS = """() => ['body', '.tile', '.scroll', 'table', '.panel'].map((name) => {
    const one = document.querySelector(name);
    const style = one && getComputedStyle(one);
    return one ? [name, style.color, style.backgroundColor] : [name];
})"""


def brightness(colour: str) -> float:
    """0 for black, 255 for white; transparent is white paper."""
    numbers = [float(one) for one in re.findall(r"[\d.]+", colour)]
    if len(numbers) == 4 and numbers[3] == 0:
        return 255.0
    return sum(numbers[:3]) / 3


@pytest.mark.parametrize("path", ["/years/2024", "/totals?year=2024"])
def test_paper_is_white_and_holds_no_buttons_also_for_who_reads_in_a_dark_theme(
    new_tabs: Any, flown: None, path: str
) -> None:
    page = new_tabs(color_scheme="dark").open(path)
    settled(page)
    page.get_by_label("Theme").evaluate("(one) => { one.closest('details').open = true; }")
    page.get_by_label("Theme").select_option("dark")
    page.emulate_media(media="print")
    for name, *colours in page.evaluate(SHEETS):
        if colours:
            ink, paper = map(brightness, colours)
            assert ink < 110, (name, colours)
            assert paper > 245, (name, colours)
    assert not page.locator("header").is_visible()
    assert page.locator("button:not(.badge):visible, form:visible").count() == 0


def test_paper_shows_what_the_screen_keeps_closed(new_tabs: Any, flown: None) -> None:
    page = new_tabs().open("/years/2024")
    settled(page)
    page.get_by_text("Up to date").first.wait_for()
    page.emulate_media(media="print")
    assert page.get_by_text("The totals contain everything that was accepted.").first.is_visible()
    # Nothing is cut at the paper's edge, which is 17 cm wide.
    page.set_viewport_size({"width": 640, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_the_totals_print_whole_on_a_page_of_paper(new_tabs: Any, flown: None) -> None:
    page = new_tabs().open("/totals?year=2024")
    settled(page)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 640, "height": 900})
    cut = """() => [...document.querySelectorAll('.scroll')]
        .filter((one) => one.scrollWidth > one.clientWidth + 1).length"""
    assert page.evaluate(cut) == 0


def test_with_forced_colours_badges_keep_borders_signs_and_words(new_tabs: Any) -> None:
    tabs = new_tabs(forced_colors="active")
    page = tabs.open("/years/2024")
    settled(page)
    borders = """() => [...document.querySelectorAll('.badge, .tile')].map((one) => {
        const style = getComputedStyle(one);
        return [style.borderTopStyle, parseFloat(style.borderTopWidth) >= 1];
    })"""
    found = page.evaluate(borders)
    assert len(found) >= 16
    assert all(one == ["solid", True] for one in found), found
    badges = page.locator("button.badge")
    for badge in badges.all():
        assert badge.locator("svg path").count() == 1
        assert badge.inner_text().strip()


def test_a_box_of_the_tree_shows_its_whole_name_or_none(tabs: Tabs, flown: None) -> None:
    page = tabs.open("/totals?year=2024")
    settled(page)
    wider = """() => [...document.querySelectorAll('.treemap text')].filter((text) => {
        const box = text.parentElement.querySelector('rect').getBoundingClientRect();
        return text.getBoundingClientRect().right > box.right + 1;
    }).map((one) => one.textContent)"""
    assert page.evaluate(wider) == []


def test_no_page_mixes_english_into_french(new_tabs: Any, flown: None) -> None:
    english = dict(ENTRY.findall((WORDS / "en.js").read_text("utf-8")))
    french = dict(ENTRY.findall((WORDS / "fr.js").read_text("utf-8")))
    foreign = {text for key, text in english.items() if text not in french.values()}
    tabs = new_tabs(locale="fr-CH")
    tabs.expected = ("404",)
    for path in (one for one in PAGES if not one.startswith("/docs")):
        page = tabs.open(path)
        settled(page)
        assert page.locator("html").get_attribute("lang") == "fr"
        mixed = foreign.intersection(page.evaluate(TEXTS))
        assert not mixed, (path, mixed)
        page.close()
