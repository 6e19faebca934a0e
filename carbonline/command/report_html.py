"""A report's page as one HTML file: no script, nothing to fetch, light and dark, A4."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from carbonline.command.report_charts import bar_chart, note
from carbonline.command.report_page import Line, Page, Section, change, share

# Nothing may be fetched or run, whatever a name in the data says.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = Path(__file__).with_name("report.css")


def report_html(page: Page) -> str:
    """The whole document. Texts from files and servers are escaped."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(page.title)}</title>",
            f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>",
            "</head>",
            "<body>",
            "<main>",
            f"<h1>{escape(page.title)}</h1>",
            f'<p class="about">{escape(page.about)}</p>',
            *_figures(page),
            *_missing(page),
            *(
                part
                for n, section in enumerate(page.sections, start=1)
                for part in _section(section, page, n)
            ),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _figures(page: Page) -> Iterator[str]:
    yield '<dl class="figures">'
    for figure in page.figures:
        small = f"<small>{escape(figure.note)}</small>" if figure.note else ""
        yield (
            f"<div><dt>{escape(figure.label)}</dt>"
            f"<dd><strong>{escape(figure.value)}</strong>{small}</dd></div>"
        )
    yield "</dl>"


def _missing(page: Page) -> Iterator[str]:
    if not page.missing:
        yield '<p class="whole">Nothing is missing from these figures.</p>'
        return
    yield '<section class="missing" aria-labelledby="missing">'
    yield '<h2 id="missing">Missing from these figures</h2>'
    yield "<ul>"
    for sentence in page.missing:
        yield f"<li>{escape(sentence)}</li>"
    yield "</ul>"
    yield "</section>"


def _section(section: Section, page: Page, number: int) -> Iterator[str]:
    chart = bar_chart(section, page, number)
    yield f'<section aria-labelledby="section-{number}">'
    yield f'<h2 id="section-{number}">{escape(section.title)}</h2>'
    yield f'<div class="{"pair" if chart else "alone"}">'
    if chart:
        said = note(section, page)
        caption = f"<figcaption>{escape(said)}</figcaption>" if said else ""
        yield f"<figure>{chart}{caption}</figure>"
    yield from _table(section, page)
    yield "</div>"
    yield "</section>"


def _table(section: Section, page: Page) -> Iterator[str]:
    headings = [
        "t",
        *(["share"] if section.whole_kg else []),
        *([f"t in {page.year - 1}", "change"] if section.has_last_year else []),
        *section.columns,
    ]
    yield "<table>"
    yield f"<caption>{escape(section.title)}, {page.year}, in tonnes of CO2-equivalent</caption>"
    cells = "".join(f'<th scope="col" class="number">{escape(one)}</th>' for one in headings)
    yield f'<thead><tr><th scope="col">{escape(section.heading)}</th>{cells}</tr></thead>'
    yield "<tbody>"
    for line in section.lines:
        yield _row(line, section, page)
    yield "</tbody>"
    yield "</table>"


def _row(line: Line, section: Section, page: Page) -> str:
    values = [
        page.tonnes(line.kg),
        *([share(line.kg, section.whole_kg)] if section.whole_kg else []),
        *(
            [page.tonnes(line.last_year_kg), change(line.kg, line.last_year_kg)]
            if section.has_last_year
            else []
        ),
        *line.cells,
    ]
    cells = "".join(f'<td class="number">{escape(value)}</td>' for value in values)
    return f'<tr><th scope="row" class="depth-{line.depth}">{escape(line.label)}</th>{cells}</tr>'
