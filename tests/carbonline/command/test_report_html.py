"""The page as HTML: whole in itself, nothing runs, each chart has a title and a table beside it."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from carbonline.command.report_html import report_html
from carbonline.command.report_page import page_of
from carbonline.v1 import ledger_pb2
from tests.carbonline.command.a_report import a_report

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ROOT_BLOCK = re.compile(r":root \{([^}]*)\}")
COLOUR = re.compile(r"--([a-z-]+): (#[0-9a-f]{6});")
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Elements(HTMLParser):
    """Every element with its attributes, and whether all are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of a kind."""
        return [attributes for name, attributes in self.found if name == tag]


def html(**more: Any) -> str:
    return report_html(page_of(a_report(**more), 2024, NOW))


@pytest.fixture(scope="module")
def elements() -> Elements:
    return Elements(html())


def test_nothing_runs_and_nothing_is_fetched(elements: Elements) -> None:
    names = {tag for tag, _ in elements.found}
    assert not names & {"script", "link", "img", "iframe", "object", "a", "form"}
    attributes = {name for _, given in elements.found for name in given}
    assert not {one for one in attributes if one.startswith("on") or one in {"src", "href"}}
    [policy] = [one for one in elements.of("meta") if "http-equiv" in one]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "url(" not in html()
    assert "@import" not in html()


def test_texts_of_the_data_stay_texts() -> None:
    text = html()
    assert "<script" not in text
    assert "&lt;script&gt;alert(" in text
    assert "\x1b" not in text


def test_every_chart_has_a_title_a_description_and_a_table_beside_it(elements: Elements) -> None:
    charts = elements.of("svg")
    assert len(charts) == 5
    ids = {given.get("id") for _, given in elements.found}
    for chart in charts:
        assert chart["role"] == "img"
        assert set(str(chart["aria-labelledby"]).split()) <= ids
    assert len(elements.of("table")) == len(elements.of("caption")) == 6
    assert all(one["scope"] in {"col", "row"} for one in elements.of("th"))


def test_ids_are_unique_and_headings_in_order(elements: Elements) -> None:
    ids = [given["id"] for _, given in elements.found if "id" in given]
    assert len(ids) == len(set(ids))
    assert [tag for tag, _ in elements.found if tag in {"h1", "h3"}] == ["h1"]
    assert elements.of("html") == [{"lang": "en"}]


def test_bars_are_as_long_as_their_figures() -> None:
    text = html()
    chart = text[text.index("<svg") :]
    drawn = ET.fromstring(chart[: chart.index("</svg>") + 6])
    lengths = [float(bar.attrib["width"]) for bar in drawn.iter("rect")]
    assert lengths[2] == max(lengths)
    assert lengths[0] / lengths[2] == pytest.approx(455_432.2 / 1_544_567.8, abs=0.001)
    assert lengths[1] == 0


def test_a_long_chart_says_what_it_leaves_out(elements: Elements) -> None:
    text = html()
    assert "The chart shows the largest 15 of 22." in text
    assert text.count("Laboratory of a rather long name") >= 20


def test_what_is_missing_stands_on_the_page() -> None:
    assert "Nothing is missing from these figures." in html()
    whole = ledger_pb2.ReportSums(
        total_kg=5,
        total_kg_exact="5",
        entry_count=3,
        entries_without_kg=2,
        outcome_counts={"computed": 1, "unknown_place": 2},
    )
    text = html(whole=whole)
    assert (
        "2 of 3 entries have no kilograms and are missing from these totals: 2 unknown_place."
        in (text)
    )
    assert "Nothing is missing" not in text


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb, as WCAG 2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_texts_and_bars_can_be_told_from_the_ground_in_every_light() -> None:
    blocks = [dict(COLOUR.findall(block)) for block in ROOT_BLOCK.findall(html())]
    assert len(blocks) == 3, "light, dark, paper"
    least = {"text": 7, "quiet": 4.5, "bar": 3, "last": 3, "warn-line": 3}
    for colours in blocks:
        for name, ratio in least.items():
            for ground in ("ground", "warn-ground"):
                one, other = sorted(luminance(colours[key]) for key in (name, ground))
                found = (other + 0.05) / (one + 0.05)
                assert found >= ratio, f"{name} on {ground}: {found:.1f}"


def test_it_is_light_and_dark_and_prints_on_a4() -> None:
    text = html()
    for rule in ("prefers-color-scheme: dark", "@media print", "size: A4"):
        assert rule in text
