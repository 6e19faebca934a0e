"""Command groups that list commands under headings, and examples for --help."""

# ruff: noqa: ARG002  the signatures are click's

from collections.abc import Sequence
from typing import Any

import click

from carbonline.command.exit_codes import EXIT_CODES
from carbonline.command.help_layout import HelpContext
from carbonline.command.output_failures import named_streams, output_failures_reported

# More than any text has, so that none is shortened.
TEXT_LENGTH_MAX = 500


class CommandGroup(click.Group):
    """A click group that lists its commands under headings, in the order they were added."""

    context_class = HelpContext

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._headings: dict[str, list[str]] = {}

    def add_section(self, heading: str, *commands: click.Command) -> None:
        """Add commands under a heading. Call it in the order in which they are to be listed."""
        for command in commands:
            self.add_command(command)
            self._headings.setdefault(heading, []).append(str(command.name))

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, whose --help is laid out like the group's."""
        cmd.context_class = HelpContext
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands in the order in which they were added."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each heading with its commands, then the commands without a heading."""
        listed = {name for names in self._headings.values() for name in names}
        others = [name for name in self.commands if name not in listed]
        widest = max(map(len, self.commands), default=0)
        for heading, names in (*self._headings.items(), ("Commands", others)):
            if rows := self._rows(ctx, names):
                with formatter.section(heading):
                    # The same column of texts under every heading.
                    formatter.write_dl([(name.ljust(widest), text) for name, text in rows])

    def _rows(self, ctx: click.Context, names: Sequence[str]) -> Sequence[tuple[str, str]]:
        found = ((name, self.get_command(ctx, name)) for name in names)
        return [
            (name, command.get_short_help_str(TEXT_LENGTH_MAX))
            for name, command in found
            if command is not None and not command.hidden
        ]


def examples(*lines: str) -> str:
    """An epilog for a command's --help: commands to type, each on its own line, not reflowed."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


class Program(CommandGroup):
    """The whole command line. It ends with an exit code, never with a traceback."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each exit code means."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), text) for code, text in EXIT_CODES.items()])

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run the command. If stderr cannot be written, the work continues."""
        with named_streams():
            return super().main(*args, **settings)

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        """Parse the arguments. Prints --help and --version."""
        with output_failures_reported():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command, and report a stdout that cannot be written."""
        with output_failures_reported():
            return super().invoke(ctx)
