"""What the protos say of themselves: the comment of each element, by its full name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

Path: TypeAlias = tuple[int, ...]

# The numbers of fields in descriptor.proto, of which the place of a comment is made.
_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6
_FIELDS, _NESTED, _NESTED_ENUMS = 2, 3, 4
_VALUES = 2
_METHODS = 2
SENTENCE_END = re.compile(r"(?<=[.:])\s+(?=[A-Z\"])")


def comments_of(files: Iterable[FileDescriptorProto]) -> Mapping[str, str]:
    """Full name, such as "carbonline.v1.Scope.year" -> its comment, as one line."""
    found: dict[str, str] = {}
    for file in files:
        places = {tuple(one.path): one.leading_comments for one in file.source_code_info.location}
        for name, path in _elements(file):
            if comment := places.get(path, "").strip():
                found[name] = " ".join(comment.split())
    return found


def summary_of(comment: str) -> str:
    """Its first sentence, without the full stop."""
    first = SENTENCE_END.split(comment, maxsplit=1)[0]
    return first.rstrip(".:")


def _elements(file: FileDescriptorProto) -> Iterator[tuple[str, Path]]:
    package = file.package
    for number, message in enumerate(file.message_type):
        yield from _of_message(f"{package}.{message.name}", (_MESSAGES, number), message)
    for number, enum in enumerate(file.enum_type):
        yield from _of_enum(f"{package}.{enum.name}", (_ENUMS, number), enum)
    for number, service in enumerate(file.service):
        name, path = f"{package}.{service.name}", (_SERVICES, number)
        yield name, path
        for place, method in enumerate(service.method):
            yield f"{name}.{method.name}", (*path, _METHODS, place)


def _of_message(name: str, path: Path, message: DescriptorProto) -> Iterator[tuple[str, Path]]:
    yield name, path
    for place, field in enumerate(message.field):
        yield f"{name}.{field.name}", (*path, _FIELDS, place)
    for place, nested in enumerate(message.nested_type):
        yield from _of_message(f"{name}.{nested.name}", (*path, _NESTED, place), nested)
    for place, enum in enumerate(message.enum_type):
        yield from _of_enum(f"{name}.{enum.name}", (*path, _NESTED_ENUMS, place), enum)


def _of_enum(name: str, path: Path, enum: EnumDescriptorProto) -> Iterator[tuple[str, Path]]:
    yield name, path
    for place, value in enumerate(enum.value):
        yield f"{name}.{value.name}", (*path, _VALUES, place)
