"""Invisible characters, which come with text copied from web pages and workbooks."""

import polars as pl

# What Unicode says may be ignored (fillers, joiners, selectors, marks of direction), and the empty
# pattern of Braille. As the spaces below, the inside of a character class of polars.
UNSEEN = r"\p{Default_Ignorable_Code_Point}\x{2800}"
# Spaces at which a line must not be broken.
NO_BREAK = "\u00a0\u202f\u2007"
# What polars trims by itself.
WHITE_SPACE = "\t\n\x0b\x0c\r \x85\u1680\u2000-\u200a\u2028\u2029\u205f\u3000" + NO_BREAK
ANY_UNSEEN = f"[{UNSEEN}]"
ANY_NO_BREAK = f"[{NO_BREAK}]"
_AT_THE_ENDS = f"^[{WHITE_SPACE}{UNSEEN}]+|[{WHITE_SPACE}{UNSEEN}]+$"


def as_seen(text: pl.Expr) -> pl.Expr:
    """The text without characters that nobody sees, and with plain spaces."""
    return text.str.replace_all(ANY_UNSEEN, "").str.replace_all(ANY_NO_BREAK, " ")


def text_as_seen(text: str) -> str:
    """`as_seen` for one text."""
    return text if text.isascii() else str(pl.select(as_seen(pl.lit(text))).item())


def may_have_unseen(block: bytes) -> bool:
    """Whether a block has a character that nobody sees. Fast."""
    if block.isascii():
        return False
    text = pl.Series([block.decode("utf-8", errors="ignore")])
    return bool(text.str.contains(ANY_UNSEEN).item())


def trimmed_of_invisible(value: pl.Expr) -> pl.Expr:
    """A value without white space and characters that nobody sees around it."""
    return value.str.replace_all(_AT_THE_ENDS, "")
