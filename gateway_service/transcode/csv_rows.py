"""Rows of the contract as CSV, by their descriptors: one column for each field."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_service.transcode.fields import prefix_of
from gateway_service.transcode.schemas import WELL_KNOWN

# How a formula begins for a spreadsheet, which would run it; plain numbers may begin alike.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_QUOTED = re.compile('[",\r\n]')


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """A column: its name, and the text of a row in it."""

    name: str
    text_of: Callable[[Message], str]


def columns_of(message: Descriptor) -> Sequence[CsvColumn]:
    """A column for each field, in the order of the contract. Fields of a nested message have
    columns of their own, `outer_inner`; lists of messages and maps are JSON in one cell.
    """
    return [
        CsvColumn("_".join(one.name for one in path), _reader(path)) for path in _paths(message, ())
    ]


def header(columns: Iterable[CsvColumn]) -> bytes:
    """The first line."""
    return _line(column.name for column in columns)


def line_of(columns: Iterable[CsvColumn], row: Message) -> bytes:
    """The line of a row, in UTF-8. No text of it is a formula to a spreadsheet."""
    return _line(column.text_of(row) for column in columns)


def _paths(
    message: Descriptor, before: tuple[FieldDescriptor, ...]
) -> list[tuple[FieldDescriptor, ...]]:
    found = []
    for field in message.fields:
        nested, path = field.message_type, (*before, field)
        if nested is None or field.is_repeated or nested.full_name in WELL_KNOWN:
            found.append(path)
        else:
            found += _paths(nested, path)
    return found


def _reader(path: Sequence[FieldDescriptor]) -> Callable[[Message], str]:
    *outer, last = path

    def text_of(row: Message) -> str:
        holder: Any = row
        for field in outer:
            if not holder.HasField(field.name):
                return ""
            holder = getattr(holder, field.name)
        if last.has_presence and not holder.HasField(last.name):
            return ""
        return _text(last, holder)

    return text_of


def _text(field: FieldDescriptor, holder: Any) -> str:
    value = getattr(holder, field.name)
    nested = field.message_type
    if nested is not None and (field.is_repeated or nested.full_name == "google.protobuf.Struct"):
        whole = json_format.MessageToDict(
            holder, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        # Maps of the wire have no order.
        return json.dumps(whole[field.name], ensure_ascii=False, sort_keys=True) if value else ""
    if field.is_repeated:
        return "; ".join(_scalar(field, one) for one in value)
    return _scalar(field, value)


def _scalar(field: FieldDescriptor, value: Any) -> str:
    if field.message_type is not None:
        return str(value.ToJsonString())
    enum = field.enum_type
    if enum is not None:
        if not value:
            return ""
        named = enum.values_by_number.get(value)
        return named.name.removeprefix(prefix_of(enum)).lower() if named else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _inert(value) if isinstance(value, str) else repr(value)


def _inert(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would take it for a formula."""
    runs = _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text)
    return f"'{text}" if runs else text


def _line(texts: Iterable[str]) -> bytes:
    return (",".join(map(_quoted, texts)) + "\n").encode("utf-8", "replace")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
