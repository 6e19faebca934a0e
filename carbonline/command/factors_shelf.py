"""`carbonline factors shelf`: lists the published sets of factors that the package brings."""

import click

from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.output import Output, output_options, show_rows
from carbonline.shelf.sets import ShelfSet
from carbonline.shelf.sets import shelf as sets_on_the_shelf

COLUMNS = (
    Column("set", kind=Kind.WORD),
    Column("title"),
    Column("types", in_tables=False),
    Column("publisher", in_tables=False),
    Column("licence", kind=Kind.WORD),
    Column("source", in_tables=False),
    Column("note", in_tables=False),
)


@click.command(
    short_help="List the published sets of factors.",
    epilog=examples(
        "carbonline factors shelf",
        "carbonline factors shelf --json",
        "carbonline load factors uk-gov-2024 --year 2024",
    ),
)
@output_options
def shelf(*, output: Output) -> None:
    """List the published sets of factors that are on the shelf, with source and licence.

    `carbonline load factors SET --year YEAR` loads one. -o and --json say more: types, source,
    notes.
    """
    show_rows(COLUMNS, [_row(one) for one in sets_on_the_shelf().values()], output)


def _row(one: ShelfSet) -> Row:
    return {
        "set": one.name,
        "title": one.title,
        "types": list(one.types),
        "publisher": one.publisher,
        "licence": one.licence,
        "source": one.source,
        "note": one.note,
    }
