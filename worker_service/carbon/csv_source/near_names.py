"""Guesses which declared column an unknown name means."""

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from worker_service.carbon.csv_source.foreign_names import FOREIGN_NAMES
from worker_service.carbon.csv_source.measured_names import (
    Way,
    telling_words,
    units_in_name,
    ways_in_name,
)
from worker_service.carbon.lookalikes import foreign_letters, skeleton

# From here on two names differ by a letter or two, and not by what they mean.
_RATIO_MIN = 0.8
_PREFIX_CHARACTERS_MIN = 3
# Columns whose unit another column says, and what that measures.
UNIT_IS_IN: Mapping[str, tuple[str, frozenset[str]]] = MappingProxyType(
    {
        "quantity": ("unit", frozenset({"energy", "volume", "mass", "area", "length"})),
        "annual_consumption": ("unit", frozenset({"energy", "volume", "mass", "time"})),
        "use": ("use_unit", frozenset({"energy", "volume", "mass", "time"})),
        "distance": ("distance_unit", frozenset({"length"})),
        "total_spent_amount": ("currency", frozenset({"money"})),
        "spent_amount": ("currency", frozenset({"money"})),
    }
)
# Columns whose unit their own name does not say.
_KILOMETRES = MappingProxyType({"length": frozenset({"km"})})
_UNIT_IS = MappingProxyType({"min_distance": _KILOMETRES, "max_distance": _KILOMETRES})


@dataclass(frozen=True, slots=True)
class UnreadColumn:
    """An unknown column, in a form to be shown. `near` is the column that it may mean, or ""."""

    name: str
    near: str = ""

    def __str__(self) -> str:
        """Such as "number_of_trip (did you mean number_of_trips?)", with foreign letters named."""
        if not self.near:
            return self.name
        letters = foreign_letters(self.name)
        has = f" It has {letters}" if letters else ""
        return f"{self.name} (did you mean {self.near}?{has})"


def near_name(name: str, among: Collection[str], *, beginnings: bool = True) -> str:
    """The one of `among` that `name` means. "" if none or several may be meant.

    Never one in another unit than the name says, nor the end of a way for its beginning. Without
    `beginnings` the first letters alone are not enough: "count" begins a country.
    """
    fitting = [
        known
        for known in among
        if not units_apart(name, known) and not _is_another_way(name, known)
    ]
    return like_name(name, fitting, beginnings=beginnings)


def units_apart(name: str, known: str) -> frozenset[str]:
    """The units that a name says and a declared column cannot have."""
    _, said_elsewhere = UNIT_IS_IN.get(known, ("", frozenset[str]()))
    # Of a day a name may say so.
    skipped = {"time", *said_elsewhere} if "date" in _words(known) else said_elsewhere
    own = units_of_column(known)
    said = units_in_name(name).items()
    apart = [units - own.get(of, frozenset()) for of, units in said if of not in skipped]
    return frozenset[str]().union(*apart)


def units_unsaid(name: str, known: str) -> frozenset[str]:
    """The units of a declared column of which a name for it says nothing."""
    said = units_in_name(name)
    unsaid = [units for of, units in units_of_column(known).items() if of not in said]
    return frozenset[str]().union(*unsaid)


def units_of_column(known: str) -> Mapping[str, frozenset[str]]:
    """What is measured -> its units, of a declared column."""
    return _UNIT_IS.get(known) or units_in_name(known)


def ways_of_column(known: str) -> frozenset[Way]:
    """Whether a declared column is the beginning or the end of something. Empty for neither."""
    return ways_in_name(known) - {Way.BACK}


def is_named_otherwise(name: str, known: str) -> bool:
    """Whether the words of a name have nothing of a declared column's, so that values alone cannot
    make it that one: "Purpose of the journey" says no class. A name such as "x" says nothing.
    """
    own = [*_words(known), *FOREIGN_NAMES.get(known, ())]
    words = telling_words(name)
    alike = (a in b or b in a for a in words for b in own if telling_words(b))
    return bool(words) and not any(alike)


def _is_another_way(name: str, known: str) -> bool:
    said = ways_in_name(name)
    return (
        bool(said)
        and said != ways_in_name(known)
        and _letters(name) not in FOREIGN_NAMES.get(known, ())
    )


def like_name(name: str, among: Collection[str], *, beginnings: bool = True) -> str:
    """The same by the letters and words of the names alone."""
    bare = {_letters(known): known for known in among}
    letters = _letters(name)
    if (same := bare.get(letters, bare.get(skeleton(letters)))) is not None:
        return same
    foreign = [known for known in among if letters in FOREIGN_NAMES.get(known, ())]
    more = _with_more_words(name, among)
    if foreign and more and not set(foreign) & set(more):
        return ""
    # A unit that is missing is more than a slip of a letter or two.
    whole = {spelt: known for spelt, known in bare.items() if not units_unsaid(name, known)}
    # The rules from the surest to the weakest: the first that finds any decides.
    for meant in (
        foreign,
        more,
        [whole[close] for close in difflib.get_close_matches(letters, whole, 1, _RATIO_MIN)],
        [known for spelt, known in whole.items() if _are_swapped(letters, spelt)],
        _beginning_with(name, among) if beginnings else [],
        _with_fewer_words(name, among),
    ):
        if meant:
            return meant[0] if len(meant) == 1 else ""
    return ""


def _with_more_words(name: str, among: Collection[str]) -> list[str]:
    words = set(_words(name))
    if all(units_in_name(word) for word in words):
        # "km" may be those of anything.
        return []
    found = [known for known in among if words <= set(_words(known))]
    # What something has of each FTE is not how many there are.
    return [known for known in found if "per" in words or "per" not in _words(known)]


def _with_fewer_words(name: str, among: Collection[str]) -> list[str]:
    words = set(_words(name))
    # The use of a unit is not that of all.
    return [known for known in among if set(_words(known)) < words and "total" not in words]


def _beginning_with(name: str, among: Collection[str]) -> list[str]:
    if len(name) < _PREFIX_CHARACTERS_MIN:
        return []
    return [known for known in among if known.startswith(name)]


def _are_swapped(one: str, other: str) -> bool:
    """Whether the two differ by neighbours that changed places: too much for short names' ratio."""
    if len(one) != len(other):
        return False
    apart = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    match apart:
        case [first, second]:
            ends = (one[first], one[second]) == (other[second], other[first])
            return second == first + 1 and ends
        case _:
            return False


def _words(name: str) -> list[str]:
    return re.findall(r"\w+", name.replace("_", " "))


def _letters(name: str) -> str:
    return "".join(_words(name))
