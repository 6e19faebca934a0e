"""A mapping as the options that say it to `carbonline submit`."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def mapping_flags(mapping: Mapping[str, Any]) -> Sequence[str]:
    """Such as "--map Von=origin_iata", "--decimal comma", each for a shell."""
    return [f"{option} {shlex.quote(value)}" for option, value in _options(mapping)]


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
