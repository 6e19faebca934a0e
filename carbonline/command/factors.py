"""`carbonline factors`: lists the emission factors of a type and year, each with its file."""

from collections.abc import Mapping, Sequence

import click

from carbonline.client.json_struct import values_of
from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row, value_of
from carbonline.command.command_group import CommandGroup, examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.factors_diff import diff
from carbonline.command.factors_shelf import shelf
from carbonline.command.mapping_options import MAPPING, name_or_words, with_mapping
from carbonline.command.names import type_name
from carbonline.command.options import YEAR, optional_type_option, type_is_missing
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import reference_pb2, types_pb2

# More than any set of factors that somebody maintains.
FACTORS_MAX = 100_000
COLUMNS = (
    Column("factor", kind=Kind.NUMERAL),
    Column("identity", "for", in_files=False),
    Column("values", in_files=False),
    Column("state", kind=Kind.WORD, once_if_same=True),
    Column("version", kind=Kind.NUMERAL),
    Column("entries", "used by entries", Kind.NUMBER),
    Column("file", once_if_same=True),
    Column("emission_type", in_tables=False),
    Column("changed_at", in_tables=False),
)


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    short_help="List emission factors; compare them; the shelf.",
    epilog=examples(
        "carbonline factors --type plane --year 2024",
        "carbonline factors --type plane --year 2024 --stale --used",
        "carbonline factors --type plane --year 2024 -o factors_in_force.csv",
        "carbonline factors shelf",
        "carbonline factors diff uk-gov-2023 uk-gov-2024",
    ),
)
@optional_type_option("Required.")
@click.option("--year", type=YEAR, help="The accounting year.")
@click.option("--stale", is_flag=True, help="Only factors that the newest file lacks.")
@click.option("--removed", is_flag=True, help="Include factors that are no longer in force.")
@click.option("--used", is_flag=True, help="Show how many entries use each.")
@output_options
@connection_options
@click.pass_context
def factors(
    context: click.Context,
    *,
    target: Target,
    output: Output,
    data_entry_type: int,
    year: int | None,
    stale: bool,
    removed: bool,
    used: bool,
) -> None:
    """List the emission factors of a type and year that are in force, with their files.

    A stale factor is not in the newest file, but still used where no factor of that file fits;
    `carbonline remove stale-factors` removes such factors.
    """
    if context.invoked_subcommand:
        return
    if not data_entry_type:
        type_is_missing()
    if year is None:
        raise click.UsageError("Missing option '--year'.")
    wanted = reference_pb2.ListFactorsRequest(
        year=year,
        data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
        stale_only=stale,
        include_removed=removed,
        with_usage=used,
    )
    found, declared, more = run_to_end(_listed(target, wanted))
    there = {name for one in found for name in (*one.classification, *one.values)}
    names = [*declared, *sorted(there.difference(declared))]
    kind = "stale factors" if stale else "factors"
    rows = [_row(one, declared, used=used) for one in found]
    show_rows(
        with_mapping((*COLUMNS, *(Column(name, in_tables=False) for name in names)), rows),
        rows,
        output,
        about={"year": year, "type": type_name(data_entry_type)},
        if_none=f"There are no {kind} of {type_name(data_entry_type)} in {year}.",
        more="choose with --stale, or ask ListFactors for further pages" if more else "",
    )


factors.add_command(shelf)
factors.add_command(diff)


async def _listed(
    target: Target, wanted: reference_pb2.ListFactorsRequest
) -> tuple[Sequence[reference_pb2.Factor], Mapping[str, str], bool]:
    """The factors, the columns of their files with the kind of each, and whether there are more."""
    async with target.client() as client:
        found, more = await read_pages(
            client.list_factors, wanted, lambda page: page.factors, FACTORS_MAX
        )
        catalogue = await client.list_modules()
    declared = {
        column.name: column.kind
        for module in catalogue.modules
        for known in module.data_entry_types
        if known.data_entry_type == wanted.data_entry_type
        for column in known.factor_columns
    }
    return found, declared, more


def _row(one: reference_pb2.Factor, declared: Mapping[str, str], *, used: bool) -> Row:
    return {
        **{
            name: value_of(text, declared.get(name, ""))
            for name, text in (*one.classification.items(), *one.values.items())
        },
        "factor": one.factor_id,
        "identity": ", ".join(value for _, value in sorted(one.classification.items())),
        "values": dict(sorted(one.values.items())),
        "state": "out of force" if one.removed else "stale" if one.stale else "in force",
        "version": one.version,
        "entries": one.entries if used else None,
        "file": one.file_name,
        "emission_type": one.emission_type,
        "changed_at": moment_of(one.made_at),
        MAPPING: name_or_words(values_of(one.mapping)) or None,
    }
