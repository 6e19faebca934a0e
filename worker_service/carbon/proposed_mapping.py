"""Proposes how the file of another program is read, by its columns' names and by their values.

Nothing is ever read as proposed: somebody says it first.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.byte_stream import Open
from worker_service.carbon.csv_source.near_names import near_name
from worker_service.carbon.csv_source.reading import look_at, table_of
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping
from worker_service.carbon.parse.formats import DECIMALS, date_layout, days_of, plain_number
from worker_service.carbon.parse.values import comparison_key, comparison_keys
from worker_service.carbon.workbooks.text_of import NO_GUESS, Guess

# Of the file's first rows, and of each column's different texts, so many are looked at.
ROWS_MAX, TEXTS_MAX = 1_000, 200
# What is proposed of a column must be so for this share of its texts.
_MOST = 0.9
_HALF = 0.5
_CODE = re.compile(r"[A-Za-z]{3}")
# With points nobody writes the month first.
_DAYS_AND_MONTHS = ("dd.mm.", "dd/mm/", "mm/dd/", "dd-mm-", "mm-dd-", "dd mm ")
_LAYOUTS = (
    *(start + year for start in _DAYS_AND_MONTHS for year in ("yyyy", "yy")),
    *("yyyy/mm/dd", "yyyy.mm.dd", "yyyymmdd"),
)
# By the file's name of a column: its first different texts.
Sample = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class SeenFile:
    """The first rows of a file, and where its table is, if that was guessed."""

    sample: Sample
    guess: Guess = NO_GUESS


def sample_of(
    open_file: Open, columns: Sequence[Column], said: FileMapping = AS_DECLARED
) -> SeenFile:
    """The columns of a file as they are, whatever they are called. Blocks. Raises RefusedFile."""
    required = [column.name for column in columns if column.required]
    optional = [column.name for column in columns if not column.required]
    text = look_at(open_file, table_of(required, optional, said))
    with closing(text):
        try:
            rows = next(text.batches).raw.head(ROWS_MAX)
        except RefusedFile as refused:
            if refused.cause is not Cause.NO_ROWS:
                raise
            rows = pl.DataFrame()
        written = text.header.written_names
        sample = {name: _texts(rows, str(at)) for at, name in enumerate(written) if name}
    return SeenFile(sample, text.guess)


def _texts(rows: pl.DataFrame, column: str) -> list[str]:
    if column not in rows.columns:
        return []
    texts = rows[column].str.strip_chars()
    found: list[str] = texts.filter(texts != "").unique(maintain_order=True).to_list()
    return found[:TEXTS_MAX]


def codes_in(sample: Sample) -> list[str]:
    """Texts that may be codes of places, as keys."""
    found = {text for texts in sample.values() for text in texts if _CODE.fullmatch(text)}
    return comparison_keys(sorted(found))


def proposed_mapping(
    columns: Sequence[Column],
    sample: Sample,
    places: Collection[str],
    said: FileMapping = AS_DECLARED,
) -> FileMapping:
    """What to say, besides what is said already. AS_DECLARED for nothing.

    `places`: those of `codes_in` that places have.
    """
    there = _there(columns, sample, said)
    lacking = [one for one in columns if one.name not in {*there, *said.constants}]
    free = {name: texts for name, texts in sample.items() if _is_free(name, columns, said)}
    evidence = _Evidence(places)
    meant = _by_name(lacking, free, evidence)
    times = Counter(meant.values())
    renamed = {name: column for name, column in meant.items() if times[column] == 1}
    # Of two names for one column neither is anything else, either.
    lacking = [one for one in lacking if one.name not in times]
    left = {name: texts for name, texts in free.items() if name not in meant}
    renamed |= _by_values(lacking, left, evidence)
    of_column = {**there, **{column: sample[name] for name, column in renamed.items()}}
    known = [(one, of_column[one.name]) for one in columns if one.name in of_column]
    return FileMapping(
        columns=renamed,
        values={name: pairs for name, pairs in _choices(known) if name not in said.values},
        decimal="" if said.decimal else _decimal(known),
        dates="" if said.dates else _dates(known),
    )


def _there(
    columns: Sequence[Column], sample: Sample, said: FileMapping
) -> dict[str, Sequence[str]]:
    """The texts of the declared columns that the file has, by their declared names."""
    names = {column.name for column in columns}
    renamed = {name.casefold(): column for name, column in said.columns.items()}
    meant = {renamed.get(name.casefold(), name.casefold()): name for name in sample}
    return {name: sample[written] for name, written in meant.items() if name in names}


def _is_free(name: str, columns: Sequence[Column], said: FileMapping) -> bool:
    taken = {column.name for column in columns} | {one.casefold() for one in said.columns}
    return name.casefold() not in taken


class _Evidence:
    """Whether texts may be a column's, and whether they can hardly be anything else."""

    def __init__(self, places: Collection[str]) -> None:
        self._places = frozenset(places)

    def allows(self, column: Column, texts: Sequence[str]) -> bool:
        """A column of this name may hold such texts. One without texts may be any."""
        if not texts:
            return True
        if column.is_code:
            return _share(bool(_CODE.fullmatch(text)) for text in texts) >= _HALF
        match column.kind:
            case ColumnKind.NUMBER | ColumnKind.INTEGER:
                return max(_fitting(texts, decimal) for decimal in DECIMALS) >= _HALF
            case ColumnKind.DATE:
                return max(_days(texts, layout) for layout in ("", *_LAYOUTS)) >= _HALF
            case _:
                return True

    def is_sure(self, column: Column, texts: Sequence[str]) -> bool:
        """Known places, or words of a list of choices."""
        if not texts:
            return False
        if column.is_code:
            return _share(comparison_key(text) in self._places for text in texts) >= _MOST
        match column.kind:
            case ColumnKind.CHOICE:
                # Letters may stand for anything.
                words = [text for text in texts if len(text) > 1]
                known = (_choice_of(column, text) is not None for text in words)
                return bool(words) and _share(known) >= _MOST
            case _:
                return False


def _by_name(lacking: Sequence[Column], free: Sample, evidence: _Evidence) -> dict[str, str]:
    """Of the declared columns that its values allow, the one that each name of the file is near."""
    allowed = {
        name: [column.name for column in lacking if evidence.allows(column, texts)]
        for name, texts in free.items()
    }
    near = {name: near_name(name.casefold(), among) for name, among in allowed.items()}
    return {name: column for name, column in near.items() if column}


def _by_values(lacking: Sequence[Column], free: Sample, evidence: _Evidence) -> dict[str, str]:
    """The same where the values leave no other choice. An origin stands before its destination.

    Days are not enough: they may be those of the booking, of the invoice or of the way back.
    """
    found: dict[str, str] = {}
    codes = [column for column in lacking if column.is_code]
    of_places = [
        name for name, texts in free.items() if codes and evidence.is_sure(codes[0], texts)
    ]
    if len(of_places) == len(codes):
        found |= {name: column.name for name, column in zip(of_places, codes, strict=True)}
    for column in lacking:
        if column.kind is ColumnKind.CHOICE:
            sure = [name for name, texts in free.items() if evidence.is_sure(column, texts)]
            if len(sure) == 1 and sure[0] not in found:
                found[sure[0]] = column.name
    return found


def _choices(
    known: Sequence[tuple[Column, Sequence[str]]],
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Of each column of choices, what stands for one without being it."""
    for column, texts in known:
        if column.kind is not ColumnKind.CHOICE:
            continue
        taken = {*column.choices, *(alias for alias, _ in column.aliases)}
        others = [text for text in texts if comparison_key(text) not in taken]
        meant = {text: choice for text in others if (choice := _choice_of(column, text))}
        if meant:
            yield column.name, meant


def _choice_of(column: Column, text: str) -> str | None:
    """The choice that a text means: by its spelling, else the longest whose words it has."""
    key = comparison_key(text)
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


def _decimal(known: Sequence[tuple[Column, Sequence[str]]]) -> str:
    """The mark with which all numbers can be read that are not plain digits; "" if both can."""
    numbers = (ColumnKind.NUMBER, ColumnKind.INTEGER)
    texts = [text for column, some in known if column.kind in numbers for text in some]
    if not texts:
        return ""
    series = pl.Series(texts)
    plain = series.cast(pl.Float64, strict=False).is_not_null()
    read = {one: _numbers(series, one) for one in DECIMALS}
    voting = ~plain & (read["comma"] != read["point"])
    marks = [one for one, fits in read.items() if (fits & voting).any()]
    if len(marks) != 1:
        return ""
    [mark] = marks
    # What reads as a number now must not become one that cannot be read.
    return mark if (read[mark] | ~plain).all() else ""


def _dates(known: Sequence[tuple[Column, Sequence[str]]]) -> str:
    """The layout that fits all days that are not in ISO 8601; "" if several do, or none does."""
    texts = [text for column, some in known if column.kind is ColumnKind.DATE for text in some]
    others = [text for text in texts if _days([text], "") < 1]
    fitting = [layout for layout in _LAYOUTS if others and _days(others, layout) >= _MOST]
    return fitting[0] if len(fitting) == 1 else ""


def _numbers(texts: pl.Series, decimal: str) -> pl.Series:
    """Which of the texts are numbers with this mark."""
    number = plain_number(pl.first(), decimal).cast(pl.Float64, strict=False)
    return texts.to_frame().select(number.is_not_null()).to_series()


def _fitting(texts: Sequence[str], decimal: str) -> float:
    return _share(_numbers(pl.Series(texts), decimal))


def _days(texts: Sequence[str], layout: str) -> float:
    """The share of the texts that are days of a layout, "" for ISO 8601."""
    days = date_layout(layout or "yyyy-mm-dd")
    assert days is not None, "layouts of ours are layouts"
    return _share(days_of(pl.Series(texts, dtype=pl.String), days).is_not_null())


def _share(found: "Iterator[bool] | pl.Series") -> float:
    all_of = list(found)
    return sum(map(bool, all_of)) / len(all_of) if all_of else 0.0
