"""Invisible characters, which come with text copied from web pages and workbooks."""

from types import MappingProxyType

import polars as pl

# Zero-width space, non-joiner, joiner, word joiner, byte order mark; soft hyphen; marks of
# direction, which come with text copied from dialogs of Windows.
ZERO_WIDTH = (
    "\u200b\u200c\u200d\u2060\ufeff\u00ad"
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
# Spaces at which a line must not be broken.
NO_BREAK = "\u00a0\u202f\u2007"
# What polars trims by itself, which it does not beside characters that it is given.
_WHITE_SPACE = "\t\n\x0b\x0c\r \x85\u1680\u2028\u2029\u205f\u3000" + NO_BREAK
AROUND = _WHITE_SPACE + "".join(map(chr, range(0x2000, 0x200B))) + ZERO_WIDTH
# By their first two bytes, of which most files have few.
_ZERO_WIDTH_BYTES = MappingProxyType(
    {
        letter.encode()[:2]: tuple(
            one.encode() for one in ZERO_WIDTH if one.encode()[:2] == letter.encode()[:2]
        )
        for letter in ZERO_WIDTH
    }
)
_AS_SEEN = MappingProxyType(
    str.maketrans({**dict.fromkeys(ZERO_WIDTH, ""), **dict.fromkeys(NO_BREAK, " ")})
)


def as_seen(text: str) -> str:
    """The text without zero-width characters, and with plain spaces."""
    return text.translate(_AS_SEEN)


def may_have_zero_width(block: bytes) -> bool:
    """Whether a block has a zero-width character. Fast."""
    return not block.isascii() and any(
        head in block and any(letter in block for letter in letters)
        for head, letters in _ZERO_WIDTH_BYTES.items()
    )


def trimmed_of_invisible(value: pl.Expr) -> pl.Expr:
    """A value without white space and zero-width characters around it."""
    return value.str.strip_chars(AROUND)
