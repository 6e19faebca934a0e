"""Makes text of a file safe to show: cut, and with control characters escaped."""

from types import MappingProxyType

import polars as pl

from worker_service.carbon.csv_source.invisible import NO_BREAK, ZERO_WIDTH

VALUE_CHARACTERS_MAX = 80

# Control characters move the cursor of a terminal, marks of direction reorder the text around
# them, and texts that differ in invisible characters look the same.
_ESCAPED = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *(0x200E, 0x200F, 0x2028, 0x2029),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    *map(ord, ZERO_WIDTH + NO_BREAK),
)
_SHORT = MappingProxyType({0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"})
_ESCAPES = MappingProxyType(
    {
        code: _SHORT.get(code, f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
        for code in _ESCAPED
    }
)


def shown(text: pl.Expr) -> pl.Expr:
    """Values, cut and escaped for a list of errors. "" for null."""
    cut = text.str.slice(0, VALUE_CHARACTERS_MAX).str.replace_many(
        [chr(code) for code in _ESCAPES], list(_ESCAPES.values())
    )
    return (
        pl.when(text.str.len_chars() > VALUE_CHARACTERS_MAX).then(cut + "…").otherwise(cut)
    ).fill_null("")


def shown_text(text: str) -> str:
    """`shown` for one text."""
    cut = text[:VALUE_CHARACTERS_MAX].translate(_ESCAPES)
    return cut + "…" if len(text) > VALUE_CHARACTERS_MAX else cut
