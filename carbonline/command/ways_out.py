"""The commands that find or mend what is missing from totals."""

import shlex
from collections.abc import Iterator, Sequence

from carbonline.command.connection import Target, command_line
from carbonline.command.names import module_name, type_name
from carbonline.command.safe_text import one_line
from carbonline.unseen import has_unseen
from carbonline.v1 import ledger_pb2


def of_unit(words: str, unit: str) -> str:
    """The words of a command about one unit, or about all if it is empty."""
    return f"{words} --unit {_typed(one_line(unit))}" if unit else words


def _typed(unit: str) -> str:
    """As a shell takes it. What nobody sees is written out, as bash and zsh read it."""
    if not has_unseen(unit):
        return shlex.quote(unit)
    escaped = {"\\": "\\\\", "'": "\\'"}
    return "$'" + "".join(_written_out(one, escaped.get(one, one)) for one in unit) + "'"


def _written_out(character: str, otherwise: str) -> str:
    return f"\\U{ord(character):08x}" if has_unseen(character) else otherwise


def ways_out(
    freshness: Sequence[ledger_pb2.TotalsFreshness],
    year: int,
    target: Target,
    *,
    without_kg: bool,
    unit: str = "",
) -> Iterator[str]:
    """A sentence for each; `without_kg` says that entries have no kilograms. `unit` is the one that
    the totals are of, if they are of one alone.
    """
    if without_kg:
        wanted = of_unit(f"uncomputed --year {year}", unit)
        yield f"To list them: {command_line(wanted, target)}"
    stale = [one for one in freshness if not one.fresh]
    if stale:
        yield f"To see what is running: {command_line(f'status --year {year}', target)}"
    for one in stale:
        of = f"--module {module_name(one.module)} --only-stale"
        if len(one.stale_types) == 1:
            of = f"--type {type_name(one.stale_types[0])}"
        yield f"If nothing is running: {command_line(f'recalculate --year {year} {of}', target)}"
