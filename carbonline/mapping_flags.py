"""How a file is read, as the options that say it to `carbonline submit`."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def mapping_flags(mapping: Mapping[str, Any]) -> Sequence[str]:
    """Such as "--map Von=origin_iata", "--decimal comma", each for a shell."""
    return [f"{option} {_quoted(value)}" for option, value in _options(mapping)]


def how_to_read_flags(sheet: str, mapping: Mapping[str, Any]) -> Sequence[str]:
    """The same with the sheet of a workbook before them, if one is named."""
    named = [f"--sheet {_quoted(sheet)}"] if sheet else []
    return [*named, *mapping_flags(mapping)]


def _quoted(text: str) -> str:
    # What begins with an equals sign is the path of a program to zsh.
    return f"'{text}'" if shlex.quote(text) == text and text.startswith("=") else shlex.quote(text)


def _options(mapping: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    # An object of a message has no order of its own.
    for name, column in sorted(mapping.get("columns", {}).items()):
        yield "--map", f"{name}={column}"
    for column, value in sorted(mapping.get("constants", {}).items()):
        yield "--set", f"{column}={value}"
    for column, pairs in sorted(mapping.get("values", {}).items()):
        for text, choice in sorted(pairs.items()):
            yield "--value", f"{column}:{text}={choice}"
    for part in ("decimal", "dates"):
        if mapping.get(part):
            yield f"--{part}", str(mapping[part])
    if line := int(mapping.get("header_line", 0)):
        yield "--header-line", str(line)
