"""The argument that is a factor file or the name of a set of the shelf, and the set's files."""

# ruff: noqa: ARG002  the signatures are click's

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from carbonline.command.input_file import STDIN, InputFile
from carbonline.command.names import type_name
from carbonline.command.options import did_you_mean
from carbonline.command.output_file import errors_named
from carbonline.shelf.sets import ShelfSet, shelf


class FileOrSet(InputFile):
    """A readable file as a Path, or the set of this name. Of both, the file counts."""

    name = "file or set"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path of the file, or the set."""
        if isinstance(value, ShelfSet):
            return value
        if value == STDIN or Path(value).exists():
            return super().convert(value, param, ctx)
        found = shelf().get(str(value).strip().lower())
        if found is None and "." not in Path(value).name and "/" not in str(value):
            hint = did_you_mean(str(value), shelf())
            self.fail(f"{value!r} is not a file, and as a set of the shelf it {hint}", param, ctx)
        return found if found is not None else super().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The sets that begin with what was typed, and files."""
        sets = [CompletionItem(name) for name in shelf() if name.startswith(incomplete)]
        return [*sets, CompletionItem(incomplete, type="file")]


def types_of(chosen: ShelfSet, data_entry_type: int) -> Sequence[str]:
    """The types of a set: all, or the one that was named. Raises click.UsageError without it."""
    if not data_entry_type:
        return chosen.types
    name = type_name(data_entry_type)
    if name not in chosen.types:
        raise click.UsageError(
            f"{chosen.name} has no factors of {name}: it has {', '.join(chosen.types)}."
        )
    return (name,)


def file_of(chosen: ShelfSet, name: str, context: click.Context) -> Path:
    """The set's factors of a type as a file, which is deleted when the command ends.

    Its name says whence they are: the ledger keeps it with each factor.
    """
    folder = Path(tempfile.mkdtemp(prefix="carbonline-"))
    context.call_on_close(lambda: shutil.rmtree(folder, ignore_errors=True))
    file = folder / f"{chosen.name}_{name}.csv"
    with errors_named(file):
        file.write_text(chosen.content(name), encoding="utf-8")
    return file
