"""Bar charts of a report as SVG: no script, colours from the page's style."""

from html import escape

from carbonline.command.report_page import Line, Page, Section

# In the chart's own units; the page scales it to its column.
WIDTH = 410
LABEL_WIDTH, VALUE_WIDTH = 206, 74
ROW_HEIGHT, BAR_HEIGHT, LAST_HEIGHT = 30, 14, 5
# More bars than these are no chart that anybody reads.
BARS_MAX = 15
LABEL_CHARACTERS_MAX = 27


def bar_chart(section: Section, page: Page, number: int) -> str:
    """The chart of a section, the `number`-th of its page. "" if there is nothing to draw."""
    bars = [line for line in section.lines if line.depth == 0][:BARS_MAX]
    most = max((max(line.kg, line.last_year_kg or 0) for line in bars), default=0)
    if not section.has_chart or most <= 0:
        return ""
    height = ROW_HEIGHT * len(bars) + 4
    drawn = "".join(_bar(line, page, n, most) for n, line in enumerate(bars))
    title, text = f"chart-{number}-title", f"chart-{number}-text"
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-labelledby="{title} {text}">'
        f'<title id="{title}">{escape(section.title)}, {page.year}</title>'
        f'<desc id="{text}">{escape(_description(bars, page))}</desc>'
        f"{drawn}</svg>"
    )


def note(section: Section, page: Page) -> str:
    """What a reader of the chart must know: what the thin bars are, and what is not drawn."""
    drawn = sum(line.depth == 0 for line in section.lines)
    sentences = []
    if section.has_last_year:
        sentences.append(f"Thick bars: {page.year}; thin bars: {page.year - 1}.")
    if drawn > BARS_MAX:
        sentences.append(f"The chart shows the largest {BARS_MAX} of {drawn:,}.")
    return " ".join(sentences)


def _bar(line: Line, page: Page, n: int, most: float) -> str:
    top = ROW_HEIGHT * n + 4
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    length = room * max(0.0, line.kg) / most
    middle = top + BAR_HEIGHT - 3
    label = f'<text class="label" x="{LABEL_WIDTH - 8}" y="{middle}">{escape(_cut(line.label))}'
    value = f'<text class="value" x="{LABEL_WIDTH + length + 6:.1f}" y="{middle}">'
    drawn = (
        f"{label}</text>{_rect('bar', top, length, BAR_HEIGHT)}"
        f"{value}{page.tonnes(line.kg)} t</text>"
    )
    if line.last_year_kg is not None:
        before = room * max(0.0, line.last_year_kg) / most
        drawn += _rect("last", top + BAR_HEIGHT + 2, before, LAST_HEIGHT)
    return drawn


def _rect(kind: str, top: int, length: float, height: int) -> str:
    return (
        f'<rect class="{kind}" x="{LABEL_WIDTH}" y="{top}" width="{length:.1f}"'
        f' height="{height}" rx="1"/>'
    )


def _description(bars: list[Line], page: Page) -> str:
    largest = max(bars, key=lambda line: line.kg)
    return (
        f"Bar chart of {len(bars)} bars in tonnes of CO2-equivalent. The longest is {largest.label}"
        f" with {page.tonnes(largest.kg)} t. The table beside it has the same figures."
    )


def _cut(label: str) -> str:
    if len(label) <= LABEL_CHARACTERS_MAX:
        return label
    return label[: LABEL_CHARACTERS_MAX - 1].rstrip() + "…"
