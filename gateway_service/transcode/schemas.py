"""Messages of the contract as JSON schemas: in answers and in bodies."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from gateway_service.transcode.fields import prefix_of

Schema: TypeAlias = dict[str, Any]

INTEGERS_OF_TEXT = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
    }
)
NUMBERS = frozenset({FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT})
INT32_MAX = 2**31 - 1
INT64_MAX = 2**63 - 1
WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array"},
}


class Schemas:
    """The schemas that a document needs; each message and enum becomes a component once."""

    def __init__(self, comments: Mapping[str, str], taken: frozenset[str]) -> None:
        """`taken` are the full names of messages that callers send, in whole or in parts."""
        self._comments = comments
        self._taken = taken
        self.components: dict[str, Schema] = {}

    def of_message(self, message: Descriptor) -> Schema:
        """A message, or a reference to it."""
        known = WELL_KNOWN.get(message.full_name)
        if known is not None:
            return dict(known)
        name = message.name
        if name not in self.components:
            # Before its fields: a message may hold itself.
            self.components[name] = {}
            self.components[name] = self._object(message)
        return {"$ref": f"#/components/schemas/{name}"}

    def of_body(self, message: Descriptor, without: Iterable[str]) -> Schema:
        """A request as a body, without the fields that its path has."""
        schema = self._object(message, frozenset(without))
        self.components[message.name] = {**schema, "additionalProperties": False}
        return {"$ref": f"#/components/schemas/{message.name}"}

    def of_field(self, field: FieldDescriptor) -> Schema:
        """A field with its comment."""
        schema = self._repeated(field) if field.is_repeated else self._single(field)
        comment = self._comments.get(field.full_name)
        return {**schema, "description": comment} if comment else schema

    def of_query(self, field: FieldDescriptor) -> Schema:
        """A field as the text of a path or a query, where enums have short names."""
        if field.enum_type is not None:
            one: Schema = {"type": "string", "enum": short_names(field.enum_type)}
        elif field.type in INTEGERS_OF_TEXT:
            one = {
                "type": "integer",
                "format": "int64",
                "minimum": -INT64_MAX,
                "maximum": INT64_MAX,
            }
        else:
            one = self._single(field)
        return {"type": "array", "items": one} if field.is_repeated else one

    def _object(self, message: Descriptor, without: frozenset[str] = frozenset()) -> Schema:
        schema: Schema = {"type": "object"}
        if comment := self._comments.get(message.full_name):
            schema["description"] = comment
        fields = [one for one in message.fields if one.name not in without]
        schema["properties"] = {one.name: self.of_field(one) for one in fields}
        if required := [one.name for one in fields if self._is_always_there(one)]:
            schema["required"] = required
        return schema

    def _is_always_there(self, field: FieldDescriptor) -> bool:
        holder = field.containing_type
        if holder is not None and holder.full_name in self._taken:
            return self.is_required(field)
        # An answer has every field that cannot be absent.
        return not field.has_presence

    def is_required(self, field: FieldDescriptor) -> bool:
        """Whether its comment says that a caller must send it."""
        return "Required." in self._comments.get(field.full_name, "")

    def _repeated(self, field: FieldDescriptor) -> Schema:
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            value = entry.fields_by_name["value"]
            return {"type": "object", "additionalProperties": self._single(value)}
        return {"type": "array", "items": self._single(field)}

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            return self.of_message(field.message_type)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        if field.type in INTEGERS_OF_TEXT:
            return {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
        if field.type in NUMBERS:
            return {"type": "number", "format": "double"}
        if field.type == FieldDescriptor.TYPE_BOOL:
            return {"type": "boolean"}
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        if field.type == FieldDescriptor.TYPE_STRING:
            return {"type": "string"}
        return {
            "type": "integer",
            "format": "int32",
            "minimum": -INT32_MAX - 1,
            "maximum": INT32_MAX,
        }

    def _enum(self, enum: EnumDescriptor) -> Schema:
        if enum.name not in self.components:
            lines = [self._comments.get(enum.full_name, "")]
            for value in enum.values:
                # Values of a proto stand beside their enum in a language, and below it in the file.
                comment = self._comments.get(f"{enum.full_name}.{value.name}", "")
                lines.append(f"* `{value.name}`: {comment}")
            self.components[enum.name] = {
                "type": "string",
                "description": "\n".join(line for line in lines if line),
                "enum": [value.name for value in enum.values],
            }
        return {"$ref": f"#/components/schemas/{enum.name}"}


def short_names(enum: EnumDescriptor) -> list[str]:
    """The names of the values as a query takes them, such as "running"; without the one of 0."""
    return [value.name.removeprefix(prefix_of(enum)).lower() for value in enum.values[1:]]


def within(message: Descriptor) -> frozenset[str]:
    """The full names of a message and of all that are within it."""
    found: set[str] = set()
    waiting = [message]
    while waiting:
        one = waiting.pop()
        if one.full_name not in found:
            found.add(one.full_name)
            waiting += [field.message_type for field in one.fields if field.message_type]
    return frozenset(found)
