"""Pages of lists: their size, where they go on, and what one answer may weigh."""

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message

from carbonline.serving.errors import Violation

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 100, 1_000
# A client that has set no limit of its own takes 4 MiB.
ANSWER_BYTES_MAX = 3 << 20
# A field's number and length, before each message of a list.
FRAME_BYTES = 6
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
    return base64.urlsafe_b64encode(json.dumps([_KIND, *last]).encode()).decode()


def keys_of_token(token: str, *kinds: type) -> Sequence[Any] | None:
    """The keys in a token of a list whose keys are of these kinds; None for one that is none.

    No keys on the first page.
    """
    if not token:
        return ()
    try:
        kind, *keys = json.loads(base64.b64decode(token.encode(), b"-_", validate=True))
    except (ValueError, TypeError, RecursionError):
        return None
    fitting = [type(key) for key in keys] == list(kinds)
    return keys if kind == _KIND and fitting and all(map(_storable, keys)) else None


def numbers_of_token(token: str, count: int) -> Sequence[int] | None:
    """The same where all keys are numbers that a row can have."""
    return keys_of_token(token, *[int] * count)


def _storable(key: int | str) -> bool:
    """Whether a database takes it."""
    if isinstance(key, str):
        # Half of a surrogate pair, which JSON can name, is no character.
        return "\0" not in key and key.encode(errors="ignore").decode() == key
    return 0 <= key < 2**63


def token_faults(field: str, keys: Sequence[object] | None) -> Iterable[Violation]:
    """A token that is none of this list."""
    if keys is None:
        yield Violation(field, "is no next_page_token of this list")


def text_of(value: Any) -> str:
    """A stored value as a file would say it: numbers with all their digits, whole ones as such."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def first_page(parts: Sequence[Part]) -> Sequence[Part]:
    """As many of the first as one answer may weigh, and at least one."""
    room = ANSWER_BYTES_MAX
    for number, part in enumerate(parts):
        room -= part.ByteSize() + FRAME_BYTES
        if room < 0:
            return parts[: max(number, 1)]
    return parts
