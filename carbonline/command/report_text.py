"""A report's page in lines for a terminal."""

from collections.abc import Iterator

from carbonline.command.columns import Column, Kind, Row
from carbonline.command.report_page import Line, Page, Section, change, share
from carbonline.command.table import table_lines, wrapped

# A narrower terminal has no room for bars beside the figures, a still narrower one none for what
# can be worked out from them.
WIDTH_WITH_BARS = 100
WIDTH_WITH_SHARES = 60
BAR_WIDTH = 24
BLOCK, RULE = "█", "═"


def report_lines(page: Page, width: int) -> list[str]:
    """The page in lines of at most `width` columns."""
    lines = [page.title, RULE * min(width, len(page.title)), *wrapped(page.about, width), ""]
    for figure in page.figures:
        note = f" ({figure.note})" if figure.note else ""
        lines += wrapped(f"{figure.label}: {figure.value}{note}", width)
    lines += ["", *_missing(page, width)]
    for section in page.sections:
        lines += ["", section.title, *_table(section, page, width)]
    return lines


def _missing(page: Page, width: int) -> Iterator[str]:
    if not page.missing:
        yield from wrapped("Nothing is missing from these figures.", width)
        return
    yield from wrapped("Missing from these figures:", width)
    for sentence in page.missing:
        first, *others = wrapped(sentence, width - 2)
        yield f"- {first}"
        yield from (f"  {line}" for line in others)


def _table(section: Section, page: Page, width: int) -> list[str]:
    with_shares = width >= WIDTH_WITH_SHARES
    last = f"{page.year - 1}"
    columns = [
        Column("label", section.heading),
        Column("t", "t", Kind.NUMERAL),
        Column("share", "share", Kind.NUMERAL, in_tables=with_shares),
        Column("last", f"t in {last}", Kind.NUMERAL, in_tables=section.has_last_year),
        Column("change", "change", Kind.NUMERAL, in_tables=section.has_last_year and with_shares),
        *(Column(name, name, Kind.NUMERAL, in_tables=with_shares) for name in section.columns),
        Column("bar", " ", Kind.WORD, in_tables=section.has_chart and width >= WIDTH_WITH_BARS),
    ]
    most = max((line.kg for line in section.lines), default=0)
    return table_lines(columns, [_row(line, section, page, most) for line in section.lines], width)


def _row(line: Line, section: Section, page: Page, most: float) -> Row:
    return {
        "label": "· " * line.depth + line.label,
        "t": page.tonnes(line.kg),
        "share": share(line.kg, section.whole_kg),
        "last": page.tonnes(line.last_year_kg),
        "change": change(line.kg, line.last_year_kg),
        **dict(zip(section.columns, line.cells, strict=False)),
        "bar": BLOCK * round(BAR_WIDTH * line.kg / most) if most > 0 and line.depth == 0 else "",
    }
