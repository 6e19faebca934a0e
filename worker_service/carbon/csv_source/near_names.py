"""Which declared column was probably meant by a name that nobody declared."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass

# From here on two names differ by a letter or two, and not by what they mean.
_RATIO_MIN = 0.8
_PREFIX_CHARACTERS_MIN = 3


@dataclass(frozen=True, slots=True)
class UnreadColumn:
    """A column that nobody asked for, as it may be shown; `near`: what may be meant, or ""."""

    name: str
    near: str = ""

    def __str__(self) -> str:
        """Such as "number_of_trip (did you mean number_of_trips?)"."""
        return f"{self.name} (did you mean {self.near}?)" if self.near else self.name


def near_name(name: str, among: Collection[str]) -> str:
    """The one of `among` that is surely meant by `name`; "" where none or several may be."""
    bare = {_letters(known): known for known in among}
    if (same := bare.get(_letters(name))) is not None:
        return same
    words = set(_words(name))
    inside = [known for known in among if words and words <= set(_words(known))]
    if not inside:
        close = difflib.get_close_matches(_letters(name), list(bare), n=1, cutoff=_RATIO_MIN)
        inside = [bare[letters] for letters in close]
    if not inside and len(name) >= _PREFIX_CHARACTERS_MIN:
        inside = [known for known in among if known.startswith(name)]
    return inside[0] if len(inside) == 1 else ""


def _words(name: str) -> list[str]:
    return re.findall(r"\w+", name.replace("_", " "))


def _letters(name: str) -> str:
    return "".join(_words(name))
