"""The manifest of a folder to seed: which file is what, in the order in which files are loaded."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from carbonline.command.jobs_of_files import (
    FileJob,
    entries_job,
    factors_job,
    file_kind_of,
    locations_job,
    mapped,
    mode_of,
    of_sheet,
    rows_job,
    units_job,
)
from carbonline.command.names import type_name, type_numbers
from carbonline.command.options import YEAR_MAX, YEAR_MIN, did_you_mean
from carbonline.command.safe_text import one_line
from carbonline.comparison_key import comparison_key
from carbonline.toml_text import NotToml, read_toml

MANIFEST = "seed.toml"
# Marks the jobs of a seeded folder; the scheduler knows the key.
SEED_RUN: Mapping[str, str] = {"is_seed_run": "yes"}
# In the name of a file, it stands for each of the years.
YEAR = "{year}"
TRANSPORT_MODES = ("plane", "train")
# Each table may say these of its file.
_HOW_TO_READ = ("sheet", "mapping")
# More mistakes are not listed.
MISTAKES_MAX = 20


@dataclass(frozen=True, slots=True)
class SeedFile:
    """A file to load, and what people call it."""

    title: str
    job: FileJob


@dataclass(frozen=True, slots=True)
class Seed:
    """Files in parts: those of a part need those of the parts before. `years` have units."""

    parts: Sequence[Sequence[SeedFile]]
    years: Sequence[int]


def read_manifest(folder: Path) -> Seed:
    """The files of a folder. Raises click.UsageError, which lists every mistake of the manifest."""
    path = folder / MANIFEST
    try:
        given = read_toml(path.read_bytes())
    except FileNotFoundError:
        raise click.UsageError(
            f"{folder} has no {MANIFEST}, which says which file is what."
        ) from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error}") from None
    except NotToml as error:
        raise click.UsageError(f"{path} is not TOML: {error}.") from None
    reader = _Reader(folder)
    seed = reader.seed(given)
    if reader.mistakes:
        listed = "\n".join(f"  {one_line(one)}" for one in reader.mistakes[:MISTAKES_MAX])
        more = len(reader.mistakes) - MISTAKES_MAX
        rest = f"\n  and {more} more" if more > 0 else ""
        raise click.UsageError(f"{path} cannot be used:\n{listed}{rest}")
    return seed


class _Reader:
    """Reads a manifest, and collects what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.mistakes: list[str] = []
        self._folder = folder.resolve()
        self._years: list[int] = []
        self._seen: dict[object, str] = {}

    def seed(self, given: Mapping[str, Any]) -> Seed:
        for name in sorted(given.keys() - _PARTS.keys()):
            self.mistakes.append(f"{name} {did_you_mean(name, _PARTS)}")
        parts = [
            [file for table in self._tables(given, name) for file in make(table)]
            for name, make in _PARTS.items()
        ]
        if not any(parts) and not self.mistakes:
            self.mistakes.append("It names no file.")
        return Seed([part for part in parts if part], sorted(set(self._years)))

    def _tables(self, given: Mapping[str, Any], name: str) -> Iterator["_Table"]:
        tables = given.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
            self.mistakes.append(f"{name} is not a list of tables: write [[{name}]].")
            return
        for number, table in enumerate(tables, start=1):
            yield _Table(self, f"[[{name}]] {number}", table)

    def note_years(self, years: Sequence[int]) -> None:
        self._years += years

    def has_units(self, year: int) -> bool:
        return year in self._years

    def first_with(self, key: object, where: str) -> str:
        """Where the same key was at first."""
        return self._seen.setdefault(key, where)

    def path(self, name: str) -> Path | None:
        """A file below the folder; None if there is none."""
        try:
            path = (self._folder / name).resolve()
            return path if path.is_relative_to(self._folder) and path.is_file() else None
        except (OSError, ValueError, RuntimeError):
            # Too long, with a character that no name has, or links that lead to each other.
            return None


class _Table:
    """One table of a manifest. What is wrong with a key is noted, and then it has no value."""

    def __init__(self, reader: _Reader, where: str, given: Mapping[str, Any]) -> None:
        self.reader, self.where, self._given = reader, where, given

    def wrong(self, sentence: str) -> None:
        told = f"{self.where}: {sentence}"
        # What is wrong with a table is wrong for each of its years.
        if told not in self.reader.mistakes:
            self.reader.mistakes.append(told)

    def only(self, *keys: str) -> None:
        for key in sorted(self._given.keys() - set(keys)):
            self.wrong(f"{key} {did_you_mean(key, dict.fromkeys(keys))}")

    def text(self, key: str, default: str | None = "") -> str:
        """A text; without `default`, it must be there."""
        value = self._given.get(key, default)
        if isinstance(value, str) and (value or default is not None):
            return value
        self.wrong(f"{key} is missing." if value is None else f"{key} must be a text.")
        return ""

    def first_with(self, key: object, sentence: str) -> None:
        """Notes the sentence, about the table that had the same key before, if there is one."""
        if (first := self.reader.first_with(key, self.where)) != self.where:
            self.wrong(sentence.format(first))

    def read_so(self, job: FileJob) -> FileJob:
        """The job that reads its file as the table says, from its sheet and with its mapping."""
        mapping, sheet = self._given.get("mapping", {}), self.text("sheet")
        if not isinstance(mapping, dict):
            self.wrong('mapping must be a table, such as { decimal = "comma" }.')
            return job
        if job.file is None and (mapping or sheet):
            self.wrong("sheet and mapping are for a file: name it.")
        if not job.data_entry_type:
            # Files of units, places and rows add to each other.
            same = (file_kind_of(job), mode_of(job), job.year, job.file, comparison_key(sheet))
            self.first_with(same, "it loads the same file as {}: leave one of them out.")
        return mapped(of_sheet(job, sheet), mapping)

    def file(self, year: int = 0) -> Path | None:
        """The file; `{year}` in its name stands for the year."""
        name = self.text("file", None).replace(YEAR, str(year))
        path = self.reader.path(name) if name else None
        if name and path is None:
            self.wrong(f"there is no file {name} in the folder.")
        return path

    def years(self) -> list[int]:
        """The key `years`: a year or a list of years."""
        value = self._given.get("years")
        years: list[Any] = value if isinstance(value, list) else [value]
        if twice := next((one for one in years if years.count(one) > 1), None):
            self.wrong(f"years has {twice} twice.")
        if years and all(type(one) is int and YEAR_MIN <= one <= YEAR_MAX for one in years):
            return list(dict.fromkeys(years))
        if value is None:
            self.wrong("years is missing.")
        else:
            self.wrong(f"years must be from {YEAR_MIN} to {YEAR_MAX}, without quotes.")
        return []

    def files(self) -> Iterator[tuple[int, Path]]:
        """The file of each year. Each year must have units."""
        for year in self.years():
            if not self.reader.has_units(year):
                self.wrong(f"no [[units]] have the year {year}.")
            elif file := self.file(year):
                yield year, file

    def type(self) -> int:
        """The number of a data-entry type; 0 if it is wrong."""
        name = self.text("type", None)
        numbers = type_numbers()
        if name and name not in numbers:
            self.wrong(f"type {name} {did_you_mean(name, numbers)}")
        return numbers.get(name, 0)


def _units(table: _Table) -> Iterator[SeedFile]:
    table.only("file", "years", *_HOW_TO_READ)
    years = table.years()
    table.reader.note_years(years)
    for year in years or [0]:
        if (file := table.file(year)) and year:
            yield SeedFile(f"units {year}", table.read_so(units_job(file, year)))


def _locations(table: _Table) -> Iterator[SeedFile]:
    table.only("transport_mode", "file", *_HOW_TO_READ)
    mode = table.text("transport_mode", None)
    # Without a file, the airports that ship with the product.
    shipped = mode == "plane" and not table.text("file")
    file = None if shipped else table.file()
    if mode and mode not in TRANSPORT_MODES:
        table.wrong(f"transport_mode {mode} {did_you_mean(mode, dict.fromkeys(TRANSPORT_MODES))}")
    elif mode and (file or shipped):
        yield SeedFile(f"locations {mode}", table.read_so(locations_job(file, mode)))


def _rates(table: _Table) -> Iterator[SeedFile]:
    return _rows(table, "rates")


def _rooms(table: _Table) -> Iterator[SeedFile]:
    return _rows(table, "rooms")


def _rows(table: _Table, kind: str) -> Iterator[SeedFile]:
    table.only("file", *_HOW_TO_READ)
    if file := table.file():
        yield SeedFile(kind, table.read_so(rows_job(kind, file)))


def _factors(table: _Table) -> Iterator[SeedFile]:
    table.only("type", "years", "file", *_HOW_TO_READ)
    number = table.type()
    for year, file in table.files():
        if number:
            # What a file of factors lacks is stale.
            same = ("factors", number, year)
            table.first_with(same, "it would replace {}: put their rows into one file.")
            job = factors_job(file, 0, number, year)
            yield SeedFile(f"factors {type_name(number)} {year}", table.read_so(job))


def _activity(table: _Table) -> Iterator[SeedFile]:
    table.only("type", "years", "file", "unit", "source", *_HOW_TO_READ)
    number = table.type()
    unit, source = table.text("unit").strip(), table.text("source").strip()
    for year, file in table.files():
        if not number:
            continue
        same = ("activity", number, year, comparison_key(unit), comparison_key(source) or "default")
        table.first_with(same, "it would replace {}: give one of them another source.")
        about = " ".join(part for part in (unit, source) if part)
        title = f"activity {type_name(number)} {year}" + (f" ({about})" if about else "")
        job = entries_job(file, 0, number, year, unit, source)
        yield SeedFile(title, table.read_so(job))


# In the order in which they are loaded: units provision years, and places and factors come before
# what is computed from them.
_PARTS: Mapping[str, Callable[[_Table], Iterator[SeedFile]]] = {
    "units": _units,
    "locations": _locations,
    "rates": _rates,
    "rooms": _rooms,
    "factors": _factors,
    "activity": _activity,
}


def marked(job: FileJob) -> FileJob:
    """The job, marked as one of a seeded folder."""
    return replace(job, extra={**job.extra, **SEED_RUN})
