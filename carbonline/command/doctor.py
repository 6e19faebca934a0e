"""`carbonline doctor`: whether everything works together, and what to do where it does not."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.doctor_checks import Finding, State, examine, secret_files
from carbonline.command.exit_codes import ExitCode
from carbonline.command.output import Output, output_options, show_rows
from carbonline.pluralize import pluralize

COLUMNS = (
    Column("check", kind=Kind.WORD),
    Column("state", kind=Kind.WORD),
    Column("finding"),
    Column("to_do", "what to do"),
)


@click.command(
    short_help="Check that everything works together.",
    epilog=examples("carbonline doctor", "carbonline doctor --json"),
)
@output_options
@connection_options
def doctor(target: Target, output: Output) -> None:
    """Check services, token, clocks, builds, workers, queue, totals, files, and who may read the
    files of this caller's token and key.

    Nothing is changed, but that a file of a few bytes is uploaded and read again. The exit code is
    8 if something is wrong, 6 if a service does not answer. What needs a look, such as a paused
    type, is not wrong.
    """
    findings = [*run_to_end(_examined(target)), secret_files(target.exposed_files)]
    show_rows(COLUMNS, [_row(one) for one in findings], output, about=_about(findings))
    wrong = [one.check for one in findings if one.state is State.WRONG]
    if output.is_table:
        click.echo(_sentence(findings, wrong))
    if wrong:
        silent = any(one.unanswered for one in findings)
        raise SystemExit(ExitCode.UNREACHABLE if silent else ExitCode.UNSOUND)


async def _examined(target: Target) -> list[Finding]:
    async with target.client() as client:
        return await examine(client)


def _row(finding: Finding) -> Row:
    return {
        "check": finding.check,
        "state": finding.state.value,
        "finding": finding.words,
        "to_do": finding.to_do,
    }


def _about(findings: list[Finding]) -> dict[str, Row | str | int]:
    states = [one.state for one in findings]
    return {state.value: states.count(state) for state in State}


def _sentence(findings: list[Finding], wrong: list[str]) -> str:
    if wrong:
        return f"Wrong: {', '.join(wrong)}."
    looks = sum(one.state in {State.LOOK, State.SKIPPED} for one in findings)
    if looks:
        return f"Nothing is wrong; {pluralize(looks, 'line')} to look at."
    return "Everything works."
