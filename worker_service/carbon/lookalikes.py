"""Letters of other scripts that look like Latin ones: an id with them is not the id it seems."""

import unicodedata
from collections.abc import Iterable

import polars as pl

# As ids are mostly written in capitals, a small letter stands for what its capital looks like.
_LATIN = str.maketrans(
    {
        **dict(zip("авеѕіјкмнорстухүһԁԛԝ", "abesijkmhopctyxyhdqw", strict=True)),
        **dict(zip("αβεζηικμνορτυχ", "abezhikmnoptyx", strict=True)),
    }
)
_NAMED_MAX = 3


def skeleton(text: str) -> str:
    """What texts that look the same have in common: small Latin letters where there are some."""
    return unicodedata.normalize("NFKC", text).lower().translate(_LATIN)


def foreign_letters(text: str) -> str:
    """The letters of a text that only look like Latin ones, such as "U+0421 CYRILLIC CAPITAL LETTER
    ES". "" for none.
    """
    found = dict.fromkeys(one for one in text if not one.isascii() and skeleton(one).isascii())
    named = [f"U+{ord(one):04X} {unicodedata.name(one, '')}".strip() for one in found]
    more = f" and {len(named) - _NAMED_MAX:,} more" if len(named) > _NAMED_MAX else ""
    return ", ".join(named[:_NAMED_MAX]) + more


def looks_like(written: str, known: str) -> str:
    """The hint for an id that looks like a known one and is not: which letters it has."""
    letters = foreign_letters(written)
    which, of = ("it has", letters) if letters else (f"{known} has", foreign_letters(known))
    return f"{known} looks the same, but {which} {of}"


def code_hints(unknown: Iterable[str], known: pl.Series) -> pl.DataFrame:
    """A frame with the columns code and look_alike (a hint), of `unknown` codes that look like one
    of the `known`. Both as keys are stored.
    """
    strange = [code for code in unknown if not code.isascii()]
    there = {one: one for one in known.to_list() if one.isascii()} if strange else {}
    rows = [
        (code, looks_like(code.upper(), meant.upper()))
        for code in strange
        if (meant := there.get(skeleton(code))) is not None
    ]
    return pl.DataFrame(rows, schema={"code": pl.String, "look_alike": pl.String}, orient="row")
