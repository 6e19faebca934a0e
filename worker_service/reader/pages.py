"""Pages of lists: their size, where they go on, and what one answer may weigh."""

import base64
from collections.abc import Iterable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from carbonline.serving.errors import Violation

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 100, 1_000
# A client that has set no limit of its own takes 4 MiB.
ANSWER_BYTES_MAX = 3 << 20
# A field's number and length, before each message of a list.
FRAME_BYTES = 6
TOKEN_CHARACTERS_MAX = 4_096
_KIND = "after"

Part = TypeVar("Part", bound=Message)


def page_size(asked: int) -> int:
    """The size of a page; PAGE_SIZE_DEFAULT where none was asked for."""
    return asked or PAGE_SIZE_DEFAULT


def size_faults(field: str, asked: int) -> Iterable[Violation]:
    """A size that no page has."""
    if not 0 <= asked <= PAGE_SIZE_MAX:
        yield Violation(field, f"must be 1..{PAGE_SIZE_MAX:,}, not {asked}")


def page_token(*last: int | str) -> str:
    """Where the next page begins: after the element with these keys; opaque to its reader."""
    return base64.urlsafe_b64encode("\n".join([_KIND, *map(str, last)]).encode()).decode()


def keys_of_token(token: str, count: int) -> Sequence[str] | None:
    """The keys in a token of this list; None for one that is none. No keys on the first page."""
    if not token:
        return ()
    try:
        kind, *keys = base64.b64decode(token.encode(), b"-_", validate=True).decode().split("\n")
    except ValueError:
        return None
    return keys if kind == _KIND and len(keys) == count and "\0" not in token else None


def numbers_of_token(token: str, count: int) -> Sequence[int] | None:
    """The same where all keys are numbers that a row can have."""
    keys = keys_of_token(token, count)
    try:
        numbers = None if keys is None else [int(key) for key in keys]
    except ValueError:
        return None
    return numbers if numbers is not None and all(0 <= n < 2**63 for n in numbers) else None


def token_faults(field: str, keys: Sequence[object] | None) -> Iterable[Violation]:
    """A token that is none of this list."""
    if keys is None:
        yield Violation(field, "is no next_page_token of this list")


def first_page(parts: Sequence[Part]) -> Sequence[Part]:
    """As many of the first as one answer may weigh, and at least one."""
    room = ANSWER_BYTES_MAX
    for number, part in enumerate(parts):
        room -= part.ByteSize() + FRAME_BYTES
        if room < 0:
            return parts[: max(number, 1)]
    return parts
