"""Proposes which columns of a file are which, where names and values leave no other choice."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from worker_service.carbon.column_evidence import Evidence, choice_of
from worker_service.carbon.csv_source.measured_names import (
    Way,
    may_be_a_place,
    units_in_name,
    ways_in_name,
)
from worker_service.carbon.csv_source.near_names import (
    UNIT_IS_IN,
    is_named_otherwise,
    like_name,
    near_name,
    units_apart,
    units_of_column,
    units_unsaid,
    ways_of_column,
)
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.parse.values import comparison_key
from worker_service.carbon.units_of_measure import is_unit

# By the file's name of a column: its first different texts.
Sample = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class ProposedColumns:
    """`renamed`: the file's name of a column -> the declared one. `constants`: what names say.

    `left_open` has a sentence for each name that may mean a column and is proposed as none.
    `perhaps`: as `renamed`, if the unit is the right one.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    left_open: Sequence[str] = ()
    perhaps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declared:
    """The columns that a file may have: those that it `lacks`, and the texts of those `there`.

    `constants` are what somebody has said of columns that are in no file.
    """

    columns: Sequence[Column]
    lacks: Sequence[Column]
    there: Mapping[str, Sequence[str]]
    constants: Mapping[str, str]


def proposed_columns(declared: Declared, free: Sample, places: Collection[str]) -> ProposedColumns:
    """What the columns of a file are that nobody has said anything of.

    `places` are the keys of known places among their texts.
    """
    evidence = Evidence(places)
    near, perhaps, left_open = _by_name(declared.lacks, free, evidence)
    times = Counter(near.values())
    meant = {name: column for name, column in near.items() if times[column] == 1}
    for column, number in times.items():
        if number > 1:
            names = [name for name in near if near[name] == column]
            left_open += [f"{_listed(names)}: each may be {column}"]
    # Of two names for one column neither is anything else, either.
    lacking = [one for one in declared.lacks if one.name not in times]
    left = {name: texts for name, texts in free.items() if name not in near}
    by_values, more = _by_values(lacking, left, evidence)
    found = _with_units(declared, {**meant, **by_values}, free, [*left_open, *more])
    return replace(found, perhaps=perhaps)


def _by_name(
    lacking: Sequence[Column], free: Sample, evidence: Evidence
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Of the declared columns that its values allow, the one that each name of the file is near.

    Second: those that say nothing of the unit. Third: what to say of these, and of names that are
    near one in another unit.
    """
    found: dict[str, str] = {}
    perhaps: dict[str, str] = {}
    left_open: list[str] = []
    for name, texts in free.items():
        key = name.casefold()
        allowed = [column.name for column in lacking if evidence.allows(column, texts)]
        near = near_name(key, allowed, beginnings=False)
        shown = shown_text(name)
        if near and (unsaid := units_unsaid(key, near)) and not _is_same_name(key, near):
            perhaps[name] = near
            left_open.append(f"{shown}: {near} if it is in {_units(unsaid)}")
        elif near:
            found[name] = near
        elif (like := like_name(key, allowed, beginnings=False)) and (
            apart := units_apart(key, like)
        ):
            left_open.append(f"{shown}: not {like}, since it says {_units(apart)}")
    return found, perhaps, left_open


def _is_same_name(one: str, other: str) -> bool:
    return re.sub(r"[\W_]", "", one) == re.sub(r"[\W_]", "", other)


def _by_values(
    lacking: Sequence[Column], free: Sample, evidence: Evidence
) -> tuple[dict[str, str], list[str]]:
    """The same where the values leave no other choice.

    Days are not enough: they may be those of the booking, of the invoice or of the way back. Nor is
    the order of two places, since a list of arrivals has the arrival first.
    """
    found, left_open = _codes(lacking, free, evidence)
    for column in lacking:
        if column.kind is ColumnKind.CHOICE:
            sure = [name for name, texts in free.items() if evidence.is_sure(column, texts)]
            named = [name for name in sure if not is_named_otherwise(name.casefold(), column.name)]
            if len(named) == 1 and named[0] not in found:
                found[named[0]] = column.name
            elif len(named) > 1:
                left_open.append(f"{_listed(named)}: each may be {column.name}")
            elif sure:
                left_open.append(f"{_listed(sure)}: {column.name} if that is what it says")
    return found, left_open


def _codes(
    lacking: Sequence[Column], free: Sample, evidence: Evidence
) -> tuple[dict[str, str], list[str]]:
    """Codes of places, by the way that their names say."""
    codes = [column for column in lacking if column.is_code]
    names = [name for name, texts in free.items() if codes and evidence.is_sure(codes[0], texts)]
    found: dict[str, str] = {}
    for column in codes:
        ways = ways_of_column(column.name)
        fitting = [name for name in names if _names(name, ways)]
        if len(fitting) == 1:
            found[fitting[0]] = column.name
    open_names = [name for name in names if name not in found]
    wanted = [column.name for column in codes if column.name not in found.values()]
    if not (open_names and wanted):
        return found, []
    return found, [
        f"{_listed(open_names)}: codes of places; say which is {' and which is '.join(wanted)}"
    ]


def _names(name: str, ways: frozenset[Way]) -> bool:
    """Whether a name says these ways, and nothing but a place; one that is neither end of a way
    needs none.
    """
    key = name.casefold()
    return ways_in_name(key) == ways and may_be_a_place(key)


def _with_units(
    declared: Declared, meant: Mapping[str, str], free: Sample, left_open: Sequence[str]
) -> ProposedColumns:
    """The columns with the units that their names say, where another column has the unit.

    One whose unit is not that of the other column is left out.
    """
    of_name = {column.name: column for column in declared.columns}
    names = {column: name for name, column in meant.items()}
    renamed, constants, told = dict(meant), dict[str, str](), list(left_open)
    for name, column in meant.items():
        own = units_of_column(column).values()
        said = units_in_name(name.casefold()).values()
        units = frozenset[str]().union(*said).difference(*own)
        if not units or column not in UNIT_IS_IN:
            continue
        unit_column = of_name.get(UNIT_IS_IN[column][0])
        if unit_column is None:
            # Such as pieces that are bought.
            renamed.pop(name, None)
            told.append(f"{shown_text(name)}: not {column}, since it says {_units(units)}")
            continue
        unit = _as_written(unit_column, units)
        there = names.get(unit_column.name)
        texts = free[there] if there else declared.there.get(unit_column.name)
        constant = declared.constants.get(unit_column.name)
        others = [constant] if constant else texts
        if unit and others is None:
            constants[unit_column.name] = unit
        elif not unit or any(_meant_unit(unit_column, text) != unit for text in others or ()):
            renamed = {key: of for key, of in renamed.items() if key not in {name, there}}
            told.append(
                f"{shown_text(name)}: {column} if its {unit_column.name} is {_units(units)}"
            )
    return ProposedColumns(renamed, constants, told)


def _as_written(column: Column, units: Collection[str]) -> str:
    """The unit that a name says, as a column of units has it. "" if none or several fit."""
    [first, *more] = units
    return "" if more else _meant_unit(column, first)


def _meant_unit(column: Column, text: str) -> str:
    if column.kind is ColumnKind.CHOICE:
        return choice_of(column, text) or ""
    [*units] = (unit for some in units_in_name(comparison_key(text)).values() for unit in some)
    return units[0] if len(units) == 1 and is_unit(units[0]) else ""


def _units(units: Collection[str]) -> str:
    return " and ".join(sorted(units))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(shown_text, names))
