"""Which unit was meant by an id that is none, where only one can have become what is written."""

from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from functools import cached_property

from worker_service.carbon.parse.values import folded_key

_NUMBER_CHARACTERS_MAX = 40
# What reads bytes of the one as the other changes letters, and loses none.
_MISREAD = (
    ("utf-8", "UTF-8"),
    ("mac_roman", "Mac Roman"),
    ("cp850", "the code page of DOS (850)"),
    ("cp437", "the code page of DOS (437)"),
)


class UnitHints:
    """The units' ids, by what a spreadsheet makes of them; looked at when one is not found."""

    def __init__(self, units: Collection[str]) -> None:
        """As the institution spells them."""
        self._units = units

    def hint(self, written: str) -> str:
        """Such as "0828 is one: a spreadsheet may have dropped the zero"; "" where unsure."""
        number = _number(written)
        if number is not None:
            meant = self._by_number.get(number, [])
            if len(meant) != 1:
                return ""
            dropped = meant[0].startswith("0") and written.isdecimal()
            did = "dropped the zero" if dropped else "written it as a number"
            return f"{meant[0]} is one: a spreadsheet may have {did}"
        for encoding, name in _MISREAD:
            unit = self._folded.get(folded_key(_reread(written, encoding)))
            if unit is not None:
                return f"{unit} is one: the file looks like {name}, save it as CSV UTF-8"
        return ""

    @cached_property
    def _by_number(self) -> dict[Decimal, list[str]]:
        found: dict[Decimal, list[str]] = {}
        for unit in self._units:
            number = _number(unit)
            if number is not None:
                found.setdefault(number, []).append(unit)
        return found

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {folded_key(unit): unit for unit in self._units}


def _number(text: str) -> Decimal | None:
    if len(text) > _NUMBER_CHARACTERS_MAX or not text[:1].isdigit():
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _reread(text: str, encoding: str) -> str:
    """The text if its bytes were of another encoding; "" where they cannot be."""
    try:
        return text.encode("cp1252").decode(encoding)
    except UnicodeError:
        return ""
