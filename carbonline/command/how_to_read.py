"""The options that say how the file of a load is read: its sheet, and its mapping."""

from dataclasses import dataclass
from typing import Any

import click

from carbonline.client.mapping_calls import FACTORS, UNITS
from carbonline.command.collected_options import Function, with_options
from carbonline.command.connection import Target
from carbonline.command.jobs_of_files import FileJob, mapped, mode_of, of_sheet
from carbonline.command.options import sheet_option
from carbonline.command.saved_mapping import MappingChoice, mapping_choice


@dataclass(frozen=True, slots=True)
class HowToRead:
    """What was typed of how a file is read."""

    sheet: str
    choice: MappingChoice

    def of(self, target: Target, job: FileJob, *, is_check: bool) -> FileJob:
        """The job that reads its file so. Saves the mapping first, if that was asked for.

        Raises click.UsageError.
        """
        mapping = self.choice.mapping(
            target,
            job.data_entry_type,
            may_save=not is_check,
            file_kind=file_kind_of(job),
            transport_mode=mode_of(job),
        )
        return mapped(of_sheet(job, self.sheet), mapping)

    def check_unused(self) -> None:
        """Raises click.UsageError if anything was typed: there is no file."""
        if self.sheet or self.choice:
            raise click.UsageError("--sheet and a mapping are for a FILE.")


def reading_options(function: Function) -> Function:
    """Adds the options to a command, which gets them as `reading`, a HowToRead."""

    def collected(sheet: str, choice: MappingChoice, **rest: Any) -> Any:
        return function(reading=HowToRead(sheet, choice), **rest)

    return mapping_choice(with_options(function, collected, (sheet_option,)))


def file_kind_of(job: FileJob) -> str:
    """What the file of a load brings."""
    return job.reference_kind or (FACTORS if job.data_entry_type else UNITS)
