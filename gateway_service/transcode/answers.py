"""Writes messages of the contract as JSON: fields as in the protos, enums by name."""

from google.protobuf import json_format
from google.protobuf.message import Message

# A smaller answer is written faster than a thread is woken.
SMALL_BYTES = 32 * 1024


def json_of(message: Message) -> bytes:
    """The message as JSON, with every field; numbers of 64 bits are texts, since browsers' own
    numbers lose digits.
    """
    text: str = json_format.MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=None,
        ensure_ascii=False,
    )
    # A text of the contract may hold half a character, which no encoding has.
    return text.encode("utf-8", "replace")
