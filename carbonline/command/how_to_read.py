"""The options that say how the file of a load is read: its sheet, and its mapping."""

from dataclasses import dataclass
from typing import Any

import click

from carbonline.command.collected_options import Function, with_options
from carbonline.command.jobs_of_files import FileJob, mapped, of_sheet
from carbonline.command.mapping_options import MappingWords, mapping_options
from carbonline.command.options import sheet_option


@dataclass(frozen=True, slots=True)
class HowToRead:
    """What was typed of how a file is read."""

    sheet: str
    words: MappingWords

    def of(self, job: FileJob) -> FileJob:
        """The job that reads its file so. Raises click.UsageError."""
        return mapped(of_sheet(job, self.sheet), self.words.mapping())

    def check_unused(self) -> None:
        """Raises click.UsageError if anything was typed: there is no file."""
        if self.sheet or self.words.mapping():
            raise click.UsageError("--sheet and a mapping are for a FILE.")


def reading_options(function: Function) -> Function:
    """Adds the options to a command, which gets them as `reading`, a HowToRead."""

    def collected(sheet: str, words: MappingWords, **rest: Any) -> Any:
        return function(reading=HowToRead(sheet, words), **rest)

    return mapping_options(with_options(function, collected, (sheet_option,)))
