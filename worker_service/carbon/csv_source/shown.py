"""Makes text of a file safe to show: cut, and with control characters escaped."""

from types import MappingProxyType

import polars as pl

from worker_service.carbon.csv_source.invisible import NO_BREAK, UNSEEN

VALUE_CHARACTERS_MAX = 80

# Control characters move the cursor of a terminal, marks of direction reorder the text around
# them, and texts that differ in invisible characters look the same.
_ESCAPED = rf"[\x00-\x1f\x7f-\x9f\x{{2028}}\x{{2029}}{UNSEEN}{NO_BREAK}]"
_SHORT = MappingProxyType({"\t": "\\t", "\n": "\\n", "\r": "\\r"})


def shown(text: pl.Expr) -> pl.Expr:
    """Values, cut and escaped for a list of errors. "" for null."""
    cut = text.str.slice(0, VALUE_CHARACTERS_MAX).map_batches(_escaped, return_dtype=pl.String)
    return (
        pl.when(text.str.len_chars() > VALUE_CHARACTERS_MAX).then(cut + "…").otherwise(cut)
    ).fill_null("")


def shown_text(text: str) -> str:
    """`shown` for one text."""
    cut = text[:VALUE_CHARACTERS_MAX]
    if not (cut.isascii() and cut.isprintable()):
        cut = str(_escaped(pl.Series([cut])).item())
    return cut + "…" if len(text) > VALUE_CHARACTERS_MAX else cut


def _escaped(texts: pl.Series) -> pl.Series:
    found = texts.str.extract_all(_ESCAPED).explode().drop_nulls().unique().to_list()
    if not found:
        return texts
    return texts.str.replace_many(found, [_written_out(letter) for letter in found])


def _written_out(letter: str) -> str:
    return _SHORT.get(letter) or letter.encode("unicode_escape").decode("ascii")
