"""Cuts lists of messages to what one answer may weigh."""

from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.message import Message

# A client that has set no limit of its own takes 4 MiB.
ANSWER_BYTES_MAX = 3 * 1024 * 1024
# A field's number and length, before each message of a list.
FRAME_BYTES = 6

Part = TypeVar("Part", bound=Message)


def first_page(parts: Sequence[Part], bytes_max: int | None = None) -> Sequence[Part]:
    """As many of the first as fit, and at least one: no message alone weighs that much."""
    room = ANSWER_BYTES_MAX if bytes_max is None else bytes_max
    for number, part in enumerate(parts):
        room -= part.ByteSize() + FRAME_BYTES
        if room < 0:
            return parts[: max(number, 1)]
    return parts


def pages(parts: Sequence[Part], parts_max: int) -> list[Sequence[Part]]:
    """All of them, in order, at most so many on a page; one empty page where there is none."""
    found: list[Sequence[Part]] = []
    start = 0
    while start < len(parts) or not found:
        page = first_page(parts[start : start + parts_max])
        found.append(page)
        start += max(len(page), 1)
    return found


def is_large(parts: Sequence[Message]) -> bool:
    """Whether they need more than one page."""
    return len(first_page(parts)) < len(parts)
