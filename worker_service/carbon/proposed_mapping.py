"""Proposes how the file of another program is read, by its columns' names and by their values.

Nothing is ever read as proposed: somebody says it first.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.column_evidence import (
    CODE,
    LAYOUTS,
    MOST,
    choice_of,
    numbers,
    share_of_days,
)
from worker_service.carbon.csv_source.byte_stream import Open
from worker_service.carbon.csv_source.column_names import compared_names
from worker_service.carbon.csv_source.reading import look_at, table_of
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping
from worker_service.carbon.parse.formats import DECIMALS
from worker_service.carbon.parse.values import choice_key, comparison_keys, text_of_a_choice
from worker_service.carbon.proposed_columns import Declared, Sample, proposed_columns
from worker_service.carbon.workbooks.text_of import NO_GUESS, Guess

# Of the file's first rows, and of each column's different texts, so many are looked at.
ROWS_MAX, TEXTS_MAX = 1_000, 200


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
    found = {text for texts in sample.values() for text in texts if CODE.fullmatch(text)}
    return comparison_keys(sorted(found))


@dataclass(frozen=True, slots=True)
class Proposed:
    """What to say of a file besides what is said already: AS_DECLARED for nothing.

    `left_open` has a sentence for each column or format that may be meant and is not sure.
    """

    mapping: FileMapping = AS_DECLARED
    left_open: Sequence[str] = ()


def proposed_mapping(
    columns: Sequence[Column],
    sample: Sample,
    places: Collection[str],
    said: FileMapping = AS_DECLARED,
) -> Proposed:
    """How a file may be read. `places`: those of `codes_in` that places have."""
    there = _there(columns, sample, said)
    lacking = [one for one in columns if one.name not in {*there, *said.constants}]
    taken = {column.name for column in columns}.union(compared_names(said.columns))
    free = {name: texts for name, texts in sample.items() if name.casefold() not in taken}
    found = proposed_columns(Declared(columns, lacking, there, said.constants), free, places)
    of_column = {**there, **{column: sample[name] for name, column in found.renamed.items()}}
    known = [(one, of_column[one.name]) for one in columns if one.name in of_column]
    # How numbers are written does not depend on their unit.
    unsure = {column: sample[name] for name, column in found.perhaps.items()}
    perhaps = [(one, unsure[one.name]) for one in columns if one.name in unsure]
    decimals = [] if said.decimal else _decimals([*known, *perhaps])
    layouts = [] if said.dates else _layouts(known)
    mapping = FileMapping(
        columns=found.renamed,
        constants=found.constants,
        values={name: pairs for name, pairs in _choices(known) if name not in said.values},
        decimal=decimals[0] if len(decimals) == 1 else "",
        dates=layouts[0] if len(layouts) == 1 else "",
    )
    return Proposed(
        mapping, [*found.left_open, *_several("decimal", decimals), *_several("dates", layouts)]
    )


def _several(what: str, forms: Sequence[str]) -> Iterator[str]:
    if len(forms) > 1:
        yield f"{what}: {' or '.join(forms)}"


def _there(
    columns: Sequence[Column], sample: Sample, said: FileMapping
) -> dict[str, Sequence[str]]:
    """The texts of the declared columns that the file has, by their declared names."""
    names = {column.name for column in columns}
    renamed = dict(zip(compared_names(said.columns), said.columns.values(), strict=True))
    meant = {renamed.get(name.casefold(), name.casefold()): name for name in sample}
    return {name: sample[written] for name, written in meant.items() if name in names}


def _choices(
    known: Sequence[tuple[Column, Sequence[str]]],
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Of each column of choices, what stands for one without being it."""
    for column, texts in known:
        if column.kind is not ColumnKind.CHOICE:
            continue
        taken = {*column.choices, *(alias for alias, _ in column.aliases)}
        others = [text_of_a_choice(text) for text in texts if choice_key(text) not in taken]
        meant = {text: choice for text in others if (choice := choice_of(column, text))}
        if meant:
            yield column.name, meant


def _decimals(known: Sequence[tuple[Column, Sequence[str]]]) -> list[str]:
    """The marks with which all numbers can be read that are not plain digits; none if they do not
    matter, or each number has its own.
    """
    of_numbers = (ColumnKind.NUMBER, ColumnKind.INTEGER)
    texts = [text for column, some in known if column.kind in of_numbers for text in some]
    if not texts:
        return []
    series = pl.Series(texts)
    plain = series.cast(pl.Float64, strict=False).is_not_null()
    read = {one: numbers(series, one) for one in DECIMALS}
    voting = ~plain & (read["comma"] != read["point"])
    marks = [one for one, fits in read.items() if (fits & voting).any()]
    if not marks:
        either = (read["comma"] & read["point"] & ~plain).any()
        return list(DECIMALS) if either else []
    # What reads as a number now must not become one that cannot be read.
    return marks if len(marks) == 1 and (read[marks[0]] | ~plain).all() else []


def _layouts(known: Sequence[tuple[Column, Sequence[str]]]) -> list[str]:
    """The layouts that fit all days that are not in ISO 8601."""
    texts = [text for column, some in known if column.kind is ColumnKind.DATE for text in some]
    others = [text for text in texts if share_of_days([text], "") < 1]
    return [layout for layout in LAYOUTS if others and share_of_days(others, layout) >= MOST]
