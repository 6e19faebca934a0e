"""Whether texts of a file may be those of a declared column, and whether they can be no other's."""

import re
from collections.abc import Collection, Iterator, Sequence

import polars as pl

from worker_service.carbon.declarations import UNIT_COLUMN, Column, ColumnKind
from worker_service.carbon.parse.formats import DECIMALS, date_layout, days_of, plain_number
from worker_service.carbon.parse.values import choice_key, comparison_key
from worker_service.carbon.units_of_measure import is_unit

# What is proposed of a column must be so for this share of its texts.
MOST = 0.9
_HALF = 0.5
CODE = re.compile(r"[A-Za-z]{3}")
# With points nobody writes the month first.
_DAYS_AND_MONTHS = ("dd.mm.", "dd/mm/", "mm/dd/", "dd-mm-", "mm-dd-", "dd mm ")
LAYOUTS = (
    *(start + year for start in _DAYS_AND_MONTHS for year in ("yyyy", "yy")),
    *("yyyy/mm/dd", "yyyy.mm.dd", "yyyymmdd"),
)


class Evidence:
    """Whether texts may be a column's, and whether they can hardly be anything else."""

    def __init__(self, places: Collection[str]) -> None:
        self._places = frozenset(places)

    def allows(self, column: Column, texts: Sequence[str]) -> bool:
        """A column of this name may hold such texts. One without texts may be any."""
        if not texts:
            return True
        if column.is_code:
            return share(bool(CODE.fullmatch(text)) for text in texts) >= _HALF
        if column.name in {"unit", UNIT_COLUMN}:
            # Of a unit of measure and a unit of the institution the word is the same.
            are_units = share(is_unit(comparison_key(text)) for text in texts) >= _HALF
            return are_units == (column.name == "unit")
        match column.kind:
            case ColumnKind.NUMBER | ColumnKind.INTEGER:
                return max(share(numbers(pl.Series(texts), one)) for one in DECIMALS) >= _HALF
            case ColumnKind.DATE:
                return max(share_of_days(texts, layout) for layout in ("", *LAYOUTS)) >= _HALF
            case _:
                return True

    def is_sure(self, column: Column, texts: Sequence[str]) -> bool:
        """Known places, or words of a list of choices."""
        if not texts:
            return False
        if column.is_code:
            return share(comparison_key(text) in self._places for text in texts) >= MOST
        match column.kind:
            case ColumnKind.CHOICE:
                # Letters may stand for anything.
                words = [text for text in texts if len(text) > 1]
                known = (choice_of(column, text) is not None for text in words)
                return bool(words) and share(known) >= MOST
            case _:
                return False


def choice_of(column: Column, text: str) -> str | None:
    """The choice that a text means: by its spelling, else the longest whose words it has."""
    key = choice_key(text)
    spelt = {
        **{one: one for one in column.choices},
        **dict(column.aliases),
        **dict(column.spellings),
    }
    if key in spelt:
        return spelt[key]
    words = set(_words(key))
    fitting = {
        choice: len(parts)
        for spelling, choice in spelt.items()
        if len(spelling) > 1 and (parts := set(_words(spelling))) <= words
    }
    most = max(fitting.values(), default=0)
    longest = [choice for choice, count in fitting.items() if count == most]
    return longest[0] if len(longest) == 1 else None


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def numbers(texts: pl.Series, decimal: str) -> pl.Series:
    """Which of the texts are numbers with this mark."""
    number = plain_number(pl.first(), decimal).cast(pl.Float64, strict=False)
    return texts.to_frame().select(number.is_not_null()).to_series()


def share_of_days(texts: Sequence[str], layout: str) -> float:
    """The share of the texts that are days of a layout, "" for ISO 8601."""
    days = date_layout(layout or "yyyy-mm-dd")
    assert days is not None, "layouts of ours are layouts"
    return share(days_of(pl.Series(texts, dtype=pl.String), days).is_not_null())


def share(found: "Iterator[bool] | pl.Series") -> float:
    """The share that is true; 0 of none."""
    all_of = list(found)
    return sum(map(bool, all_of)) / len(all_of) if all_of else 0.0
