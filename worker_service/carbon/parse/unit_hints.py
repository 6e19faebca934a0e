"""Guesses which unit an unknown id means."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cached_property

from worker_service.carbon.csv_source.plain_digits import plain_digits
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.lookalikes import foreign_letters, looks_like, skeleton
from worker_service.carbon.parse.misread_texts import MISREAD, reread
from worker_service.carbon.parse.values import comparison_key, comparison_keys

# So many units are named at most.
NEAR_MAX = 3
# Comparing letter by letter with more of them takes too long for an answer.
COMPARED_MAX = 5_000
_NUMBER_CHARACTERS_MAX = 40
# What a spreadsheet adds to a whole number where decimals have a comma.
_DECIMAL_COMMA_OF_NOTHING = re.compile(r",0{1,2}$")
# As 904.50 or 9.04E+02; 1E5 may well be a room.
_MADE_A_NUMBER = re.compile(r"(\d+)[.,]\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]\d+")
_MARK_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\W_]+(?=\d)")
# In no text.
_MARK = "\0"


class UnitHints:
    """Hints for unknown units, by what spreadsheets make of known ids."""

    def __init__(self, units: Collection[str]) -> None:
        """`units` are their ids, as stored."""
        self._units = units

    def hint(self, written: str) -> str:
        """Such as "0828 is one: a spreadsheet may have dropped the zero". "" if unsure.

        `written` is none of the units.
        """
        plain = plain_digits(written)
        if plain != written and (unit := self._by_key.get(comparison_key(plain))) is not None:
            return f"{shown_text(unit)} is one: write it with plain letters and digits"
        unit = self._by_skeleton.get(skeleton(written))
        if unit is not None and foreign_letters(written + unit):
            return looks_like(shown_text(written), shown_text(unit))
        if (number := _number(plain)) is not None:
            return _of_numbers(plain, self._by_number.get(number, []))
        if misread := self.misread(written):
            return misread
        meant = self._spelt_alike(written)
        return f"did you mean {_listed(meant, 'or')}?" if meant else ""

    def misread(self, written: str) -> str:
        """The hint for an id whose bytes were read in another encoding. "" for any other."""
        for encoding, name in () if written.isascii() else MISREAD:
            unit = self._by_key.get(comparison_key(reread(written, encoding)))
            if unit is not None:
                # The file as a whole is not UTF-8, or was saved as UTF-8 after it was misread.
                looks = (
                    "its letters are UTF-8 that was read as Windows-1252, save the whole file"
                    if encoding == "utf-8"
                    else f"the file looks like {name}, save it"
                )
                return f"{unit} is one: {looks} as CSV UTF-8"
        return ""

    def near(self, written: str) -> list[str]:
        """At most NEAR_MAX units that may be meant, the most likely first."""
        number = _number(written)
        same = [] if number is None else self._by_number.get(number, [])
        bare = self._spelt_alike(written)
        same = [*same, *filter(None, [self._by_skeleton.get(skeleton(written))])]
        compared = list(self._units)[:COMPARED_MAX]
        spelt = dict(zip(comparison_keys(compared), compared, strict=True))
        close = get_close_matches(comparison_key(written), spelt, n=NEAR_MAX)
        return list(dict.fromkeys([*same, *bare, *(spelt[one] for one in close)]))[:NEAR_MAX]

    def _spelt_alike(self, written: str) -> list[str]:
        # Without any mark, digits may be those of one number.
        bare = _bare(written)
        return self._bare.get(bare) or self._bare.get(bare.replace(_MARK, ""), [])

    @cached_property
    def _by_number(self) -> dict[Decimal, list[str]]:
        found: dict[Decimal, list[str]] = {}
        for unit in self._units:
            number = _number(unit)
            if number is not None:
                found.setdefault(number, []).append(unit)
        return found

    @cached_property
    def _by_key(self) -> dict[str, str]:
        return dict(zip(comparison_keys(list(self._units)), self._units, strict=True))

    @cached_property
    def _by_skeleton(self) -> dict[str, str]:
        return {skeleton(unit): unit for unit in self._units}

    @cached_property
    def _bare(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for unit in self._units:
            if bare := _bare(unit):
                found.setdefault(bare, []).append(unit)
        return found


def number_made_of(unit: str) -> str:
    """What may have become a number with decimals or an exponent: 904 of 904.50. "" for others.

    1.1 may also be a part of a unit 1.
    """
    plain = plain_digits(unit)
    if not (found := _MADE_A_NUMBER.fullmatch(plain)):
        return ""
    if "e" not in plain.casefold():
        return found[1]
    number = _number(plain.replace(",", "."))
    is_whole = number is not None and number.is_finite() and number == number.to_integral_value()
    return f"{number:f}".partition(".")[0] if number is not None and is_whole else plain


def likeness(unit: str) -> Decimal | str | None:
    """What two ids have in common if one may be the other, badly written. None for nothing.

    A number, or letters and digits.
    """
    plain = skeleton(plain_digits(unit))
    if (number := _number(plain)) is not None:
        return number
    # '0828 is the number with a mark of a spreadsheet before it.
    bare = _bare(plain)
    return _number(bare) if bare.isdecimal() else bare or None


def unknown_unit_sentence(asked: str, units: Sequence[str]) -> str:
    """The sentence for a unit that is not one of `units`, with a hint if there is one."""
    return " ".join(_sentences(asked, units))


def _sentences(asked: str, units: Sequence[str]) -> Iterator[str]:
    yield f"{shown_text(asked)} is not a unit of the institution."
    if not units:
        yield "It has no units yet: load them first."
    elif near := UnitHints(units).near(asked.strip()):
        yield f"Did you mean {_listed(near, 'or')}?"


def _of_numbers(written: str, meant: Sequence[str]) -> str:
    if not meant:
        return ""
    if len(meant) > 1:
        are = f"{_listed(meant, 'and')} are units"
        return f"{are}: a spreadsheet may have written one of them as a number"
    dropped = meant[0].startswith("0") and written.isdecimal()
    did = "dropped the zero" if dropped else "written it as a number"
    return f"{shown_text(meant[0])} is one: a spreadsheet may have {did}"


def _listed(units: Sequence[str], last: str) -> str:
    named = [shown_text(unit) for unit in units[:NEAR_MAX]]
    if len(units) > NEAR_MAX:
        named.append(f"{len(units) - NEAR_MAX:,} more")
        last = "and"
    return f" {last} ".join(filter(None, [", ".join(named[:-1]), named[-1]]))


def _bare(text: str) -> str:
    """Letters and digits, without accents and leading zeros.

    Between digits a mark counts: 1-11 is not 11-1.
    """
    marked = _MARK_BETWEEN_DIGITS.sub(_MARK, unicodedata.normalize("NFKD", text).casefold())
    return "".join(one for one in marked if one.isalnum() or one == _MARK).lstrip("0")


def _number(text: str) -> Decimal | None:
    if len(text) > _NUMBER_CHARACTERS_MAX or not text[:1].isdigit():
        return None
    try:
        return Decimal(_DECIMAL_COMMA_OF_NOTHING.sub("", text))
    except InvalidOperation:
        return None
