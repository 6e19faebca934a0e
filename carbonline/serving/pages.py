"""Pages of lists: their tokens, and what one answer may weigh."""

import base64
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message

# A client that has set no limit of its own takes 4 MiB.
ANSWER_BYTES_MAX = 3 * 1024 * 1024
# A field's number and length, before each message of a list.
FRAME_BYTES = 6
_KIND = "after"

Part = TypeVar("Part", bound=Message)


def page_token(*last: int | str) -> str:
    """The token of the page that begins after the row with these keys. Opaque to its reader."""
    return base64.urlsafe_b64encode(json.dumps([_KIND, *last]).encode()).decode()


def keys_of_token(token: str, *kinds: type) -> Sequence[Any] | None:
    """The keys that `page_token` was given; none for the first page, whose token is empty.

    None for a token that is not one of a list whose keys are of these kinds. Numbers are
    0..2**63-1, and texts are such as PostgreSQL stores.
    """
    if not token:
        return ()
    try:
        kind, *keys = json.loads(base64.b64decode(token.encode(), b"-_", validate=True))
    except (ValueError, TypeError, RecursionError):
        return None
    fitting = [type(key) for key in keys] == list(kinds)
    return keys if kind == _KIND and fitting and all(map(_storable, keys)) else None


def first_page(parts: Sequence[Part], bytes_max: int | None = None) -> Sequence[Part]:
    """As many of the first messages as have so many bytes together, and at least one. By default
    what one answer may weigh.
    """
    room = ANSWER_BYTES_MAX if bytes_max is None else bytes_max
    for number, part in enumerate(parts):
        room -= part.ByteSize() + FRAME_BYTES
        if room < 0:
            return parts[: max(number, 1)]
    return parts


def _storable(key: int | str) -> bool:
    if isinstance(key, str):
        # Half of a surrogate pair, which JSON can name, is not a character.
        return "\0" not in key and key.encode(errors="ignore").decode() == key
    return 0 <= key < 2**63
