"""Reads a request of the contract from a path, a query and a JSON body, and finds every fault."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway_service.transcode.problems import FieldsWrong, Violation

# Nested messages that protobuf's JSON writes as one value.
_OF_ONE_VALUE = "google.protobuf."
NAMED_MAX = 40
SHOWN_CHARACTERS_MAX = 80
# No message of the contract nests deeper; one of the caller's could exhaust the stack.
DEPTH_MAX = 20
WORDS_OF_TRUE = ("true", "1", "yes")
WORDS_OF_FALSE = ("false", "0", "no")


def fill(
    message: Message,
    path: Mapping[str, str],
    query: Sequence[tuple[str, str]],
    body: Mapping[str, Any] | None,
) -> None:
    """Fills a request. Names of nested fields in a query are joined by dots.

    Raises FieldsWrong, which names every field that is unknown, twice there, or not of its type.
    """
    faults: list[Violation] = []
    if body is not None:
        _take_object(message, body, "", faults)
    fixed = frozenset(path)
    for name in sorted({name for name, _ in query}):
        values = [value for asked, value in query if asked == name]
        if name in fixed:
            faults.append(Violation(name, "stands in the path; leave it out of the query"))
        else:
            _take_text(message, name, values, faults)
    for name, value in path.items():
        if body is not None and name in body and str(body[name]) != value:
            faults.append(Violation(name, "stands in the path; leave it out of the body"))
        else:
            _take_text(message, name, [value], faults)
    if faults:
        raise FieldsWrong(faults)


def _take_object(
    message: Message, body: Mapping[str, Any], within: str, faults: list[Violation]
) -> None:
    if within.count(".") > DEPTH_MAX:
        faults.append(Violation(within, "is nested too deeply"))
        return
    known = _fields_of(message)
    for name, value in body.items():
        place = f"{within}.{name}" if within else str(name)
        field = known.get(name)
        if field is None:
            faults.append(_unknown(place, known))
        elif _is_object(field) and isinstance(value, Mapping):
            # Set even if nothing is in it, as protobuf's JSON does.
            nested = getattr(message, field.name)
            nested.SetInParent()
            _take_object(nested, value, place, faults)
        elif field.is_repeated and isinstance(value, list):
            _take_each(message, field, value, place, faults)
        else:
            _take_value(message, field, value, place, faults)


def _take_text(message: Message, name: str, values: Sequence[str], faults: list[Violation]) -> None:
    """Takes a field as the text of a path or a query."""
    target, *rest = message, *name.split(".")
    for part in rest[:-1]:
        field = _fields_of(target).get(part)
        if field is None or not _is_object(field):
            faults.append(_unknown(name, _fields_of(target)))
            return
        target = getattr(target, field.name)
    known = _fields_of(target)
    field = known.get(rest[-1])
    if field is None:
        faults.append(_unknown(name, known))
    elif field.is_repeated:
        pieces = [piece for value in values for piece in value.split(",") if piece]
        _take_each(target, field, [_value_of(field, piece) for piece in pieces], name, faults)
    elif len(values) > 1:
        faults.append(Violation(name, "is there twice; give it once"))
    elif values[0] or field.type == FieldDescriptor.TYPE_STRING:
        _take_value(target, field, _value_of(field, values[0]), name, faults)


def _take_each(
    message: Message,
    field: FieldDescriptor,
    values: Sequence[Any],
    place: str,
    faults: list[Violation],
) -> None:
    """Takes a list piece by piece, so that a fault names its place."""
    nested = field.message_type
    is_object = nested is not None and not nested.full_name.startswith(_OF_ONE_VALUE)
    for number, value in enumerate(values):
        here = f"{place}[{number}]" if len(values) > 1 else place
        if is_object and isinstance(value, Mapping):
            _take_object(getattr(message, field.name).add(), value, here, faults)
        else:
            _take_value(message, field, [value], here, faults)


def _take_value(
    message: Message, field: FieldDescriptor, value: Any, place: str, faults: list[Violation]
) -> None:
    # By itself, since protobuf's JSON empties a list before it reads one.
    read = type(message)()
    try:
        json_format.ParseDict({field.name: value}, read)
        message.MergeFrom(read)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError):
        faults.append(Violation(place, f"must be {_form_of(field)}, not {_shown(value)}"))


def _value_of(field: FieldDescriptor, text: str) -> Any:
    """The JSON value that a text of a query stands for: as written, or in its short form."""
    if field.type == FieldDescriptor.TYPE_BOOL:
        word = text.lower()
        return True if word in WORDS_OF_TRUE else False if word in WORDS_OF_FALSE else text
    if field.enum_type is not None:
        return _number_of(field.enum_type, text)
    message = field.message_type
    if message is not None and message.full_name == "google.protobuf.Duration":
        return text if text.endswith("s") else f"{text}s"
    return text


def _number_of(enum: EnumDescriptor, text: str) -> Any:
    """The number of a value, by its name, its short name in any case, or its number."""
    if text.isascii() and text.isdigit():
        return int(text)
    full = text.upper().replace("-", "_")
    found = enum.values_by_name.get(full) or enum.values_by_name.get(prefix_of(enum) + full)
    return found.number if found is not None else text


def bool_of(name: str, text: str) -> bool:
    """A text of a query that is true or false. Raises FieldsWrong."""
    word = text.lower()
    if word not in (*WORDS_OF_TRUE, *WORDS_OF_FALSE):
        raise FieldsWrong([Violation(name, f"must be true or false, not {_shown(text)}")])
    return word in WORDS_OF_TRUE


def prefix_of(enum: EnumDescriptor) -> str:
    """What the names of the values of an enum begin with, such as "MODULE_"."""
    return str(enum.values[0].name).removesuffix("UNSPECIFIED")


def _fields_of(message: Message) -> Mapping[str, FieldDescriptor]:
    return cast(Mapping[str, FieldDescriptor], message.DESCRIPTOR.fields_by_name)


def _is_object(field: FieldDescriptor) -> bool:
    message = field.message_type
    return (
        message is not None
        and not field.is_repeated
        and not message.full_name.startswith(_OF_ONE_VALUE)
    )


def _unknown(place: str, known: Iterable[str]) -> Violation:
    names = sorted(known)
    shown = ", ".join(names[:NAMED_MAX]) or "none"
    return Violation(place[:SHOWN_CHARACTERS_MAX], f"is not known here; known are: {shown}")


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return repr(value)[:SHOWN_CHARACTERS_MAX]


def _form_of(field: FieldDescriptor) -> str:
    """What a value of the field looks like, in words."""
    many = "in a list, " if field.is_repeated else ""
    enum, message = field.enum_type, field.message_type
    if enum is not None:
        names = [v.name.removeprefix(prefix_of(enum)).lower() for v in enum.values[1:]]
        return many + "one of " + ", ".join(names[:NAMED_MAX])
    if message is not None:
        return many + _FORMS_OF_MESSAGES.get(message.full_name, "an object")
    return many + _FORMS.get(field.type, "a number")


_FORMS_OF_MESSAGES = {
    "google.protobuf.Timestamp": "a time such as 2026-01-31T12:00:00Z",
    "google.protobuf.Duration": "a number of seconds such as 60s",
}
_WHOLE = "a whole number that fits its type"
_FORMS = {
    FieldDescriptor.TYPE_BOOL: "true or false",
    FieldDescriptor.TYPE_STRING: "text",
    FieldDescriptor.TYPE_BYTES: "bytes in base64",
    FieldDescriptor.TYPE_INT32: _WHOLE,
    FieldDescriptor.TYPE_INT64: _WHOLE,
    FieldDescriptor.TYPE_UINT32: _WHOLE,
    FieldDescriptor.TYPE_UINT64: _WHOLE,
}
