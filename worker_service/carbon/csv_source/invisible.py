"""Characters that nobody sees and that come with what is copied from web pages and workbooks."""

from types import MappingProxyType

# Zero-width space, non-joiner, joiner, word joiner, byte order mark; soft hyphen.
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
# Spaces at which a line must not be broken.
NO_BREAK = "\u00a0\u202f\u2007"

_AS_SEEN = MappingProxyType(
    str.maketrans({**dict.fromkeys(ZERO_WIDTH, ""), **dict.fromkeys(NO_BREAK, " ")})
)


def as_seen(text: str) -> str:
    """Without zero-width characters, and with plain spaces."""
    return text.translate(_AS_SEEN)
