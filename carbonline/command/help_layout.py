"""Lays out --help for the width of the terminal."""

import re
import shutil
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.cells import cell_len

from carbonline.command.fitting import fitted

# What explains a term stands below it, if there are fewer columns than these beside it.
TEXT_COLUMNS_MIN = 20
INDENT_BELOW = 4


class HelpFormatter(click.HelpFormatter):
    """Breaks lines at spaces only. click's own wants 50 columns at least, and cuts long words."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        columns = shutil.get_terminal_size().columns
        self.width = min(self.width, max(columns - 2, TEXT_COLUMNS_MIN + INDENT_BELOW))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the name of the command, and what may follow it beside or below."""
        name = f"{prefix or 'Usage: '}{prog}"
        column = len(name) + 1
        if column + min(len(args), TEXT_COLUMNS_MIN) > self.width:
            column = INDENT_BELOW
        self._write_beside(name, args, column)

    def write_text(self, text: str) -> None:
        """Write paragraphs. One that begins with a line of click's mark for it keeps its lines."""
        indent = " " * self.current_indent
        paragraphs = []
        for paragraph in re.split(r"\n\n+", text.strip("\n")):
            mark, _, kept = paragraph.partition("\n")
            if mark.strip() == "\b":
                paragraphs.append("".join(f"{indent}{line}\n" for line in kept.split("\n")))
            else:
                lines = _broken(indent + paragraph.strip(), self.width)
                paragraphs.append("".join(f"{line}\n" for line in lines))
        self.write("\n".join(paragraphs))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write terms and what they mean: beside the terms, or below them if that is too narrow."""
        rows = list(rows)
        widest = max((cell_len(term) for term, _ in rows), default=0)
        longest = max((cell_len(word) for _, text in rows for word in text.split()), default=0)
        column = self.current_indent + min(widest, col_max) + col_spacing
        if column + max(longest, TEXT_COLUMNS_MIN) > self.width:
            column = self.current_indent + INDENT_BELOW
        indent = " " * self.current_indent
        for term, text in rows:
            self._write_beside(indent + term, text, column, col_spacing)

    def _write_beside(self, term: str, text: str, column: int, spacing: int = 1) -> None:
        """Write a text from a column on, in the line of the term if the term ends before it."""
        lines = list(_broken(text, self.width - column))
        if lines and cell_len(term) + spacing <= column:
            self.write(f"{term:<{column}}{lines.pop(0)}\n")
        else:
            self.write("".join(f"{line}\n" for line in _broken(term, self.width)))
        self.write("".join(f"{'':<{column}}{line}\n" for line in lines))


def _broken(text: str, width: int) -> Sequence[str]:
    """The text in lines of at most `width` columns. Choices that are longer get spaces to break."""
    indent = text[: len(text) - len(text.lstrip())]
    words = [word if len(word) <= width else word.replace("|", " | ") for word in text.split()]
    return fitted(indent + " ".join(words), width).split("\n") if words else ()


class HelpContext(click.Context):
    """A context whose --help fits the terminal."""

    formatter_class = HelpFormatter
