"""The options of a command that reads a file with a saved mapping, or saves the one it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from carbonline.client.errors import WrongArgument
from carbonline.client.mapping_calls import ENTRIES, FACTORS
from carbonline.client.saved_mapping import saved_mapping
from carbonline.command.asynchronous import run_to_end
from carbonline.command.collected_options import Function, with_options
from carbonline.command.connection import Target
from carbonline.command.mapping_options import MappingWords, mapping_options
from carbonline.command.names import type_name
from carbonline.command.safe_text import one_line

# Files that are of one data-entry type.
OF_A_TYPE = (ENTRIES, FACTORS)
FOR_ONE_TYPE = (
    "A mapping is for a file of one type: name the type with --type. In a file of several types"
    " rename the columns, or divide it by type and give --type for each part."
)
_OPTIONS = (
    click.option(
        "--mapping",
        "used",
        default="",
        metavar="NAME",
        help="Read the file with this saved mapping instead; see `carbonline mappings`.",
    ),
    click.option(
        "--save-mapping",
        "saved_as",
        default="",
        metavar="NAME",
        help="Save what --map and the others say under this name, for the next file.",
    ),
)


@dataclass(frozen=True, slots=True)
class MappingChoice:
    """How a file is to be read: as typed, or as saved; and the name to save what was typed."""

    words: MappingWords
    used: str = ""
    saved_as: str = ""

    def __bool__(self) -> bool:
        """Whether anything was said of a mapping."""
        return bool(self.used or self.saved_as or self.words.mapping())

    def mapping(
        self,
        target: Target,
        data_entry_type: int,
        *,
        may_save: bool = True,
        file_kind: str = ENTRIES,
        transport_mode: str = "",
    ) -> Mapping[str, Any]:
        """As a payload takes it; empty if nothing was said. Saves it first, if that was asked for.

        Raises click.UsageError for what cannot be meant, SystemExit as `run_to_end`.
        """
        typed = self.words.mapping()
        if not self:
            return {}
        if not data_entry_type and file_kind in OF_A_TYPE:
            raise click.UsageError(FOR_ONE_TYPE)
        if self.used and (typed or self.saved_as):
            raise click.UsageError(
                "--mapping reads the file as saved: leave out --map and the others, or --mapping."
            )
        if self.saved_as and not typed:
            raise click.UsageError("--save-mapping saves what --map and the others say: give them.")
        if self.saved_as and not may_save:
            raise click.UsageError("--check writes nothing: leave out --save-mapping.")
        if self.used:
            return run_to_end(found_or_usage(target, self.used, data_entry_type, file_kind))
        if self.saved_as:
            of = (data_entry_type, typed, file_kind, transport_mode)
            return run_to_end(save(target, self.saved_as, *of))
        return typed


def mapping_choice(function: Function) -> Function:
    """Adds the options to a command, which gets them as `choice`, a MappingChoice."""

    def collected(words: MappingWords, used: str, saved_as: str, **rest: Any) -> Any:
        choice = MappingChoice(words, used.strip(), saved_as.strip())
        return function(choice=choice, **rest)

    return mapping_options(with_options(function, collected, _OPTIONS))


async def save(
    target: Target,
    name: str,
    data_entry_type: int,
    mapping: Mapping[str, Any],
    file_kind: str = ENTRIES,
    transport_mode: str = "",
) -> dict[str, Any]:
    """Saves a mapping, says so, and returns it with its name."""
    async with target.client() as client:
        of = (data_entry_type, mapping, file_kind, transport_mode)
        answer = await client.save_mapping(name, *of)
    done = "Replaced" if answer.replaced else "Saved"
    shown, kind = one_line(answer.saved.name), files_words(file_kind, data_entry_type)
    click.echo(f"{done} the mapping {shown} of {kind}. To use it: --mapping {shown}", err=True)
    return {**mapping, "name": answer.saved.name}


def files_words(file_kind: str, data_entry_type: int) -> str:
    """What files a mapping is for, such as "plane", "factors of plane" or "units"."""
    if file_kind not in OF_A_TYPE:
        return file_kind
    kind = type_name(data_entry_type)
    return kind if file_kind == ENTRIES else f"{file_kind} of {kind}"


async def found_or_usage(
    target: Target, name: str, data_entry_type: int, file_kind: str = ENTRIES
) -> Mapping[str, Any]:
    """The saved mapping of this name, type and kind of file. Raises click.UsageError for none."""
    try:
        async with target.client() as client:
            return await saved_mapping(client, name, data_entry_type, file_kind)
    except WrongArgument as wrong:
        raise click.UsageError(str(wrong)) from wrong
