"""Options that several commands share."""

# ruff: noqa: ARG002  the signatures are click's

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, NoReturn, cast

import click
from click.shell_completion import CompletionItem

from carbonline.command.collected_options import Function
from carbonline.command.input_file import InputFile
from carbonline.command.known_years import known_years
from carbonline.command.names import module_numbers, type_numbers

FILE = InputFile()


class WholeNumber(click.IntRange):
    """A whole number from `minimum` to `maximum`, both included."""

    name = "number"

    def __init__(self, minimum: int, maximum: int) -> None:
        super().__init__(minimum, maximum)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number. Says in words what else is refused."""
        try:
            return super().convert(cast("Any", value), param, ctx)
        except click.BadParameter:
            end = "up" if self.max == ID_MAX else f"to {_shown(int(self.max or 0))}"
            self.fail(f"{value!r} is not a whole number from {self.min} {end}.", param, ctx)


def _shown(number: int) -> str:
    # Years have no separators.
    return f"{number:,}" if number >= 10_000 else str(number)


# What the contract's int64 can carry.
ID_MAX = 2**63 - 1
ID = WholeNumber(1, ID_MAX)


class NumberByName(click.ParamType[int]):
    """An option that takes a name of an enum and gives the command its number."""

    def __init__(self, name: str, numbers: Mapping[str, int]) -> None:
        """`numbers` by name, in the order in which people see them."""
        self.name = name
        self._numbers = numbers

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number of a name. Refuses an unknown name and suggests the nearest ones."""
        if isinstance(value, int):
            return value
        number = self._numbers.get(_as_named(value))
        if number is None:
            self.fail(f"{value!r} {did_you_mean(_as_named(value), self._numbers)}", param, ctx)
        return number

    def get_missing_message(
        self, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | None:
        """The names to choose from."""
        return f"It is one of {', '.join(self._numbers)}."

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin with what was typed."""
        begun = _as_named(incomplete)
        return [CompletionItem(name) for name in sorted(self._numbers) if name.startswith(begun)]


YEAR_MIN, YEAR_MAX = 1990, 2100


class Year(WholeNumber):
    """A year between YEAR_MIN and YEAR_MAX. A shell completes the years of the running stack."""

    name = "year"

    def __init__(self) -> None:
        super().__init__(YEAR_MIN, YEAR_MAX)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The years of the stack that begin with what was typed, newest first."""
        years = map(str, sorted(known_years(ctx.params), reverse=True))
        return [CompletionItem(year) for year in years if year.startswith(incomplete)]


def did_you_mean(name: str, known: Mapping[str, object]) -> str:
    """The hint after an unknown name: the nearest names, or all if none is near."""
    near = get_close_matches(name, known, n=3)
    if near:
        return f"is not known: did you mean {' or '.join(near)}?"
    return f"is not one of {', '.join(known)}."


def _as_named(value: object) -> str:
    return str(value).strip().lower().replace("-", "_")


YEAR = Year()
MODULE = NumberByName("module", module_numbers())
DATA_ENTRY_TYPE = NumberByName("type", type_numbers())

module_option = click.option(
    "--module",
    type=MODULE,
    default=0,
    help="Optional, since the type implies it; checked if given.",
)
# The services know the tree, and refuse any other path with a sentence.
EMISSION_TYPE = click.option(
    "--emission-type",
    default="",
    help="Only this node of the emission tree and those below it, such as food.vegetarian.",
)
# Who is limited is refused a list of others', too, unless it leaves them out.
own_option = click.option(
    "--own", is_flag=True, help="Leave out modules and units that are not yours."
)
OTHERS_LEFT_OUT = "Modules and units that are not yours are left out. Yours: carbonline whoami"
type_option = click.option(
    "--type",
    "data_entry_type",
    type=DATA_ENTRY_TYPE,
    required=True,
    help="The data-entry type, such as plane.",
)


def left_out_sentences(*, own: bool) -> list[str]:
    """What `own_option` has left out, in words."""
    return [OTHERS_LEFT_OUT] if own else []


def optional_type_option(when: str) -> Callable[[Function], Function]:
    """`type_option` of a command that can do without it; `when` says when it cannot."""
    return click.option(
        "--type",
        "data_entry_type",
        type=DATA_ENTRY_TYPE,
        default=0,
        help=f"The data-entry type, such as plane. {when}",
    )


def type_is_missing(instead: str = "") -> NoReturn:
    """What click says of `type_option` if it is not given. `instead` is one more sentence."""
    missing = f"Missing option '--type'. {DATA_ENTRY_TYPE.get_missing_message(None, None)}"
    raise click.UsageError(missing + instead)


priority_option = click.option(
    "--priority",
    type=WholeNumber(0, 9),
    default=None,
    help="From 0 (first) to 9 (last), also for what follows.  [default: 5]",
)
sheet_option = click.option(
    "--sheet", default="", help="The sheet of a workbook, if several have the columns."
)
no_watch_option = click.option(
    "--no-watch", is_flag=True, help="Print only the pipeline's number, without watching."
)
