"""Finds texts whose bytes were read in another encoding than they were written in."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown, shown_text
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.parse.rows import having_any, merged_rejections
from worker_service.carbon.parse.values import trimmed

# What reads bytes of the one as Windows-1252 changes letters, and loses none.
MISREAD = (
    ("utf-8", "UTF-8"),
    ("mac_roman", "Mac Roman"),
    ("cp850", "the code page of DOS (850)"),
    ("cp437", "the code page of DOS (437)"),
)
# Letters with accents are in Mac Roman and DOS what Windows-1252 has no letters for, or capitals.
_NO_LETTERS = b"\x80\x82\x84\x86\x87\x88\x89\x8b\x93\x94\x95\x98\x99\x9b\xa7\xaf\xbe\xbf"
_NO_LETTERS_AT_THE_END = b"\x82\x88\x89\x98"
_FLORIN, _CAPITALS = b"\x83", b"\x8a\x8c\x8e\x9f"
# The second byte of a letter in UTF-8, but for quotes and dashes, which may follow a capital.
_SECOND = bytes(one for one in range(0x80, 0xC0) if one not in b"\x81\x8d\x8f\x90\x9d\x85\xab\xbb")
_SECOND_NO_MARK = bytes(one for one in _SECOND if one not in b"\x91\x92\x93\x94\x96\x97\xa0")
_LATIN_END = "\u0180"


def _any(letters: bytes) -> str:
    return f"[{letters.decode('cp1252')}]"


# A word has none of these where Windows-1252 is right. šž and œ may well be letters of a name.
_STRANGE = "|".join(
    (
        rf"\p{{L}}{_any(_NO_LETTERS)}\p{{Ll}}",
        rf"\p{{Ll}}{_any(_NO_LETTERS_AT_THE_END)}(?:\s|$)",
        rf"\p{{L}}{_any(_FLORIN)}|{_any(_FLORIN)}\p{{L}}",
        rf"\p{{Ll}}{_any(_CAPITALS)}|\p{{Lu}}{_any(_CAPITALS)}\p{{Ll}}",
        rf"\x{{C3}}{_any(_SECOND)}|\x{{C2}}{_any(_SECOND)}",
        rf"[\x{{C4}}\x{{C5}}]{_any(_SECOND_NO_MARK)}",
    )
)


def misread_texts(
    texts: pl.DataFrame, accepted: pl.DataFrame, columns: Sequence[Column]
) -> pl.DataFrame:
    """row, column, value, reason of `accepted` rows with a word that is none as it was read, and is
    one in another encoding.

    texts: row_number and the columns as they came. What may be right is not told.
    """
    found = []
    # Most files are plain ASCII, and looking for a pattern costs more than counting.
    names = [column.name for column in columns if column.kind is ColumnKind.TEXT]
    for name in having_any(texts, {name: _is_not_ascii(pl.col(name)) for name in names}):
        strange = _strange(texts, name)
        if strange.is_empty():
            continue
        written = strange["text"].unique(maintain_order=True).to_list()
        reasons = {one: reason for one in written if (reason := _reason(one))}
        rows = strange.filter(pl.col("text").is_in(list(reasons)))
        found.append(
            rows.join(accepted, on="row_number", how="semi").select(
                pl.col("row_number").cast(pl.Int64).alias("row"),
                pl.lit(name).alias("column"),
                shown(pl.col("text")).alias("value"),
                pl.col("text")
                .replace_strict(reasons, default=None, return_dtype=pl.String)
                .alias("reason"),
            )
        )
    return merged_rejections(found)


def reread(text: str, encoding: str) -> str:
    """The text if its bytes were of another encoding; "" where they cannot be."""
    try:
        return text.encode("cp1252").decode(encoding)
    except UnicodeError:
        return ""


def _strange(texts: pl.DataFrame, name: str) -> pl.DataFrame:
    field = pl.col(name)
    rows = texts.filter(_is_not_ascii(field)).filter(field.str.contains(_STRANGE))
    return rows.select("row_number", trimmed(name).alias("text"))


def _is_not_ascii(field: pl.Expr) -> pl.Expr:
    return field.str.len_bytes() != field.str.len_chars()


def _reason(written: str) -> str:
    """What the text may have been, in each encoding. "" for none."""
    found: dict[str, str] = {}
    for encoding, name in MISREAD:
        meant = reread(written, encoding)
        if meant and meant != written and _is_plausible(written, meant):
            found.setdefault(meant, f"{shown_text(meant)} in {name}")
        if found and encoding == "utf-8":
            # Bytes of another encoding are hardly ever letters in this one.
            break
    if not found:
        return ""
    either = ", or ".join(found.values())
    return f"looks like {either}, and was read as Windows-1252: save the whole file as CSV UTF-8"


def _is_plausible(written: str, meant: str) -> bool:
    if len(written) != len(meant):
        return all(one < _LATIN_END for one in meant)
    changed = [at for at, one in enumerate(meant) if one != written[at]]
    return all(_is_in_place(meant, at) for at in changed)


def _is_in_place(text: str, at: int) -> bool:
    """Whether a letter stands there, and no capital within a word of small ones."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    is_within = before.islower() or (before.isupper() and after.islower())
    is_letter = text[at].isalpha() and text[at] < _LATIN_END
    return is_letter and not (text[at].isupper() and is_within)
