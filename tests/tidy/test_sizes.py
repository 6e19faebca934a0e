"""Short functions, short files, short lines: the tail is what makes code hard to read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.tracked_files import REPOSITORY, tracked_files

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400
LINE_CHARACTERS_MAX = 100
# What silences a checker stands beside the line and is not read with it; so ruff sees it, too.
PRAGMA = re.compile(r"\s+# (?:noqa|type: ignore|pragma)\b.*$")
CODE = (".py", ".sql", ".proto", ".sh", ".toml", ".yaml", ".yml")

# Path, or path:function -> why it may be longer. Nothing enters without its reason.
ARGUED_EXCEPTIONS: dict[str, str] = {
    "pyproject.toml": "one file for every tool, and each rule of it with its reason",
    "protos/carbonline/v1/types.proto": "prose: what all services share, most of it enums",
    "protos/carbonline/v1/ledger.proto": "prose: one service, read from top to bottom",
    "protos/carbonline/v1/monitoring.proto": "prose: what people and monitoring are answered",
    "protos/carbonline/v1/operations.proto": "prose: one service, read from top to bottom",
    "protos/carbonline/v1/scheduler.proto": "prose: one service, read from top to bottom",
}

LONG_LINES = {"pyproject.toml": "the name of a contract is a sentence"}


def function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of each function, decorators and docstring included."""
    for node in ast.walk(ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            yield node.name, (node.end_lineno or first) - first + 1


def code_lines(path: Path) -> list[str]:
    return (REPOSITORY / path).read_text(encoding="utf-8").splitlines()


def long_lines(path: Path) -> Iterator[tuple[int, int]]:
    """Number and characters of each line that is too long."""
    for number, line in enumerate(code_lines(path), start=1):
        if (characters := len(PRAGMA.sub("", line))) > LINE_CHARACTERS_MAX:
            yield number, characters


def test_a_function_fits_on_a_page() -> None:
    long = [
        f"{path}:{name} has {lines} lines"
        for path in tracked_files(".py")
        for name, lines in function_lengths(path)
        if lines > FUNCTION_LINES_MAX and f"{path}:{name}" not in ARGUED_EXCEPTIONS
    ]
    assert long == []


def test_a_file_is_read_in_one_sitting() -> None:
    long = [
        f"{path} has {len(code_lines(path))} lines"
        for path in tracked_files(*CODE)
        if len(code_lines(path)) > FILE_LINES_MAX and str(path) not in ARGUED_EXCEPTIONS
    ]
    assert long == []


def test_a_line_is_seen_whole() -> None:
    long = [
        f"{path}:{number} has {characters} characters"
        for path in tracked_files(*CODE)
        if str(path) not in LONG_LINES
        for number, characters in long_lines(path)
    ]
    assert long == []


@pytest.mark.parametrize("exception", sorted(ARGUED_EXCEPTIONS))
def test_an_exception_is_still_needed_where_it_points(exception: str) -> None:
    name, _, function = exception.partition(":")
    path = Path(name)
    if function:
        assert dict(function_lengths(path))[function] > FUNCTION_LINES_MAX
    else:
        assert len(code_lines(path)) > FILE_LINES_MAX
    assert ARGUED_EXCEPTIONS[exception]
