"""Options that several commands share."""

from collections.abc import Mapping

import click

from carbonline.command.input_file import InputFile
from carbonline.command.names import module_numbers, type_numbers

YEAR = click.IntRange(1990, 2100)
# What the contract's int64 can carry.
ID = click.IntRange(1, 2**63 - 1)
FILE = InputFile()


class NumberByName(click.ParamType[int]):
    """A name of the contract's enum, given to the command as its number."""

    def __init__(self, name: str, numbers: Mapping[str, int]) -> None:
        self.name = name
        self._numbers = numbers

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number of the name; an unknown name is refused with all that there are."""
        if isinstance(value, int):
            return value
        number = self._numbers.get(str(value).strip().lower().replace("-", "_"))
        if number is None:
            self.fail(f"{value!r} is none of {', '.join(sorted(self._numbers))}.", param, ctx)
        return number


MODULE = NumberByName("module", module_numbers())
DATA_ENTRY_TYPE = NumberByName("type", type_numbers())

no_watch_option = click.option("--no-watch", is_flag=True, help="Only print the pipeline's number.")
