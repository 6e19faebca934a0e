"""Guesses which declared column an unknown name means."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass

from worker_service.carbon.csv_source.foreign_names import FOREIGN_NAMES
from worker_service.carbon.lookalikes import foreign_letters, skeleton

# From here on two names differ by a letter or two, and not by what they mean.
_RATIO_MIN = 0.8
_PREFIX_CHARACTERS_MIN = 3


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


def near_name(name: str, among: Collection[str]) -> str:
    """The one of `among` that `name` means. "" if none or several may be meant."""
    bare = {_letters(known): known for known in among}
    letters = _letters(name)
    if (same := bare.get(letters, bare.get(skeleton(letters)))) is not None:
        return same
    # The rules from the surest to the weakest: the first that finds any decides.
    for meant in (
        [known for known in among if letters in FOREIGN_NAMES.get(known, ())],
        _with_more_words(name, among),
        [bare[close] for close in difflib.get_close_matches(letters, bare, 1, _RATIO_MIN)],
        [known for spelt, known in bare.items() if _are_swapped(letters, spelt)],
        _beginning_with(name, among),
        _with_fewer_words(name, among),
    ):
        if meant:
            return meant[0] if len(meant) == 1 else ""
    return ""


def _with_more_words(name: str, among: Collection[str]) -> list[str]:
    words = set(_words(name))
    return [known for known in among if words and words <= set(_words(known))]


def _with_fewer_words(name: str, among: Collection[str]) -> list[str]:
    words = set(_words(name))
    return [known for known in among if set(_words(known)) < words]


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
