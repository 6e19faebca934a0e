"""The commands that find or mend what is missing from totals."""

from collections.abc import Iterator, Sequence

from carbonline.command.connection import Target, command_line
from carbonline.command.names import module_name, type_name
from carbonline.v1 import ledger_pb2


def ways_out(
    freshness: Sequence[ledger_pb2.TotalsFreshness], year: int, target: Target, *, without_kg: bool
) -> Iterator[str]:
    """A sentence for each; `without_kg` says that entries have no kilograms."""
    if without_kg:
        yield f"To list them: {command_line(f'uncomputed --year {year}', target)}"
    stale = [one for one in freshness if not one.fresh]
    if stale:
        yield f"To see what is running: {command_line(f'status --year {year}', target)}"
    for one in stale:
        of = f"--module {module_name(one.module)} --only-stale"
        if len(one.stale_types) == 1:
            of = f"--type {type_name(one.stale_types[0])}"
        yield f"If nothing is running: {command_line(f'recalculate --year {year} {of}', target)}"
