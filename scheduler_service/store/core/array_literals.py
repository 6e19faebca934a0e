"""Columns of a batch as PostgreSQL writes arrays: the driver takes three times as long for them."""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

Literal: TypeAlias = Callable[[Sequence[Any]], str]

_PARAMETERS = r"CAST\(:[a-z_]+ AS \w+\[\]\)"
# The only place where PostgreSQL reads an array once per statement, however many rows there are.
_UNNESTED = re.compile(rf"unnest\(\s*{_PARAMETERS}(?:,\s*{_PARAMETERS})*\s*\)")
_PARAMETER = re.compile(r"CAST\(:([a-z_]+) AS (\w+)\[\]\)")


def _numbers(values: Sequence[int | bool | None]) -> str:
    """Numbers and truth values. TypeError for anything else."""
    try:
        return ",".join(map(int.__repr__, values))
    except TypeError:
        return ",".join("NULL" if v is None else int.__repr__(v) for v in values)


def _texts(values: Sequence[str | None]) -> str:
    """Texts. TypeError for anything else."""
    if None in values:
        return ",".join("NULL" if v is None else f'"{_escaped(v)}"' for v in values)
    between = '","'.join(values)  # type: ignore[arg-type]
    if "\\" in between or between.count('"') != 2 * (len(values) - 1):
        between = '","'.join(map(_escaped, values))  # type: ignore[arg-type]
    return f'"{between}"' if values else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _uuids(values: Sequence[object]) -> str:
    return ",".join(map(str, values))


# Types of which a value's text says all; other columns are left to the driver.
_CONTENTS: Mapping[str, Callable[[Sequence[Any]], str]] = MappingProxyType(
    {
        "bigint": _numbers,
        "integer": _numbers,
        "smallint": _numbers,
        "boolean": _numbers,
        "text": _texts,
        "uuid": _uuids,
    }
)


def columns_of(source: str) -> Mapping[str, Literal]:
    """How to write those parameters of a statement that are columns of an unnest and nothing else.

    Elsewhere an array may be read again for every row, so the driver's form is the cheaper one.
    """
    unnested = " ".join(_UNNESTED.findall(source))
    return {
        name: _literal(_CONTENTS[element])
        for name, element in _PARAMETER.findall(unnested)
        if element in _CONTENTS and _times(name, source) == _times(name, unnested)
    }


def _times(name: str, source: str) -> int:
    return len(re.findall(rf":{name}\b", source))


def as_text(source: str, columns: Mapping[str, Literal]) -> str:
    """The statement with these parameters taken as texts."""
    return _PARAMETER.sub(
        lambda found: (
            f"CAST(CAST(:{found[1]} AS text) AS {found[2]}[])" if found[1] in columns else found[0]
        ),
        source,
    )


def _literal(contents: Callable[[Sequence[Any]], str]) -> Literal:
    return lambda values: f"{{{contents(values)}}}"
