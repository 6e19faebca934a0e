"""Breaks sentences at spaces to fit the width of a terminal."""

import os
import re

from rich.cells import cell_len

# A command to type, alone (also behind a pipe) or at the end of a sentence: it must come out of a
# terminal whole.
_PROGRAM = r"(uvx --from ('[^']*'|\S+) )?('[^']*carbonline'|[^\s`]*carbonline)"
_COMMAND = re.compile(rf"(^ *(\S+ \S+ \| )?|(?<=: )){_PROGRAM} .*$")
# A number stays in the line of its unit.
_NUMBER, _UNIT = r"[+-]?\d[\d,.]*", r"(?:ms|s|kg|km|t|%)(?!\w)\S*"
_WORD = re.compile(rf"{_NUMBER} {_UNIT}|\S+")


def fitted(text: str, width: int) -> str:
    """The text in lines of at most `width` columns. Longer words and commands to type stay whole.

    Text with control sequences of a terminal is returned unchanged: it was fitted already.
    """
    if "\x1b" in text or "\r" in text:
        return text
    return "\n".join(_line(line, width) for line in text.split("\n"))


def words_of(text: str, width: int) -> list[str]:
    """What stands between spaces; a number and its unit are one word if they fit the width."""
    words: list[str] = []
    for word in text.split(" "):
        is_unit = words and re.fullmatch(_NUMBER, words[-1]) and re.fullmatch(_UNIT, word)
        if is_unit and cell_len(words[-1]) + 1 + cell_len(word) <= width:
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words


def terminal_width(descriptor: int) -> int | None:
    """The width of the terminal that a descriptor is, in columns. None if it is not a terminal.

    COLUMNS has precedence.
    """
    if not os.isatty(descriptor):
        return None
    return columns_variable() or os.get_terminal_size(descriptor).columns or None


def columns_variable() -> int | None:
    """The width in the environment variable COLUMNS; None if it has none."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) > 0 else None


def _line(line: str, width: int) -> str:
    if cell_len(line) <= width:
        return line
    if command := _COMMAND.search(line):
        before = _line(line[: command.start()].rstrip(), width)
        # Without an indentation where that alone makes it fit.
        indent = "  " if cell_len(command.group()) + 2 <= width else ""
        return f"{before}\n{indent}{command.group()}" if before else line
    indent = re.match(" *", line).group()  # type: ignore[union-attr]  # it always matches
    lines = [indent]
    for word in _WORD.findall(line):
        longer = f"{lines[-1]} {word}" if lines[-1].strip() else lines[-1] + word
        if cell_len(longer) <= width or not lines[-1].strip():
            lines[-1] = longer
        else:
            lines.append(indent + word)
    return "\n".join(lines)
