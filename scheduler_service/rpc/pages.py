"""Cuts the messages of a stream to what one answer may weigh."""

from collections.abc import Sequence

from google.protobuf.message import Message

from carbonline.serving.pages import Part, first_page


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
