"""Reads TOML that somebody wrote: whatever is wrong with it is one error."""

import tomllib
from typing import Any


class NotToml(ValueError):
    """What is wrong with it, in words."""


def read_toml(text: bytes) -> dict[str, Any]:
    """The document. Some editors put a mark before its first line. Raises NotToml."""
    try:
        return tomllib.loads(text.decode("utf-8-sig"))
    except RecursionError:
        raise NotToml("it is nested too deep") from None
    except ValueError as error:
        raise NotToml(str(error)) from None
