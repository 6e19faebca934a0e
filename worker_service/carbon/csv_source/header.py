"""The first record of a file: which separator, and where each declared column stands."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from worker_service.carbon.csv_source.lines import Lines
from worker_service.carbon.csv_source.near_names import UnreadColumn, near_name
from worker_service.carbon.csv_source.records import quoted_records
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.csv_source.shown import shown_text

SEPARATORS = (",", ";")
_NAMES_SHOWN_MAX = 20
COLUMNS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Header:
    """`positions`: where each known column stands. `unread`: columns nobody asked for."""

    separator: str
    width: int
    positions: Mapping[str, int]
    unread: tuple[UnreadColumn, ...]


def read_header(lines: Lines, required: Collection[str], optional: Collection[str]) -> Header:
    """Consumes the header; names are compared trimmed and case-folded.

    RefusedFile where it is not there, lacks a required column, or has a known one twice.
    """
    known = {*required, *optional}
    separator, names = _first_record(lines, known)
    if len(names) > COLUMNS_MAX:
        raise RefusedFile(
            Cause.MISSING_COLUMNS, f"the header has more than {COLUMNS_MAX:,} columns"
        )
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if twice:
        raise RefusedFile(
            Cause.DUPLICATE_COLUMNS, f"the header has these columns twice: {_shown(twice)}"
        )
    missing = [name for name in required if name not in names]
    if missing:
        by_tabs = len(names) == 1 and "\t" in names[0]
        instead = "tabs stand between its names, where commas or semicolons must"
        has = instead if by_tabs else f"it has: {_shown(names)}"
        raise RefusedFile(
            Cause.MISSING_COLUMNS, f"the header lacks the columns {_shown(missing)}; {has}"
        )
    return Header(
        separator=separator,
        width=len(names),
        positions={name: names.index(name) for name in known if name in names},
        unread=_unread(names, known),
    )


def _unread(names: list[str], known: AbstractSet[str]) -> tuple[UnreadColumn, ...]:
    # What the file has already is not meant once more.
    lacking = sorted(known - set(names))
    unknown = dict.fromkeys(name for name in names if name and name not in known)
    return tuple(UnreadColumn(shown_text(name), near_name(name, lacking)) for name in unknown)


def _first_record(lines: Lines, known: AbstractSet[str]) -> tuple[str, list[str]]:
    """The separator under which more known columns appear, and the names."""
    while block := lines.block():
        text = block.lstrip(b"\n")
        if not text.strip():
            continue
        head = text[: text.find(b"\n") + 1].decode()
        separator = max(SEPARATORS, key=lambda mark: len(known & set(_names(head.split(mark)))))
        [record] = quoted_records(lines, text, separator, 0, records_max=1)
        return separator, _names(record)
    raise RefusedFile(Cause.EMPTY, "the file is empty")


def _names(fields: list[str]) -> list[str]:
    return [field.strip().strip('"').strip().casefold() for field in fields]


def _shown(names: Collection[str]) -> str:
    shown = [shown_text(name) for name in list(names)[:_NAMES_SHOWN_MAX] if name]
    more = len(names) - _NAMES_SHOWN_MAX
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
