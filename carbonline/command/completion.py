"""`carbonline completion`: prints the script with which a shell completes commands and options."""

import click
from click.shell_completion import get_completion_class

from carbonline.command.command_group import examples

SHELLS = ("bash", "zsh", "fish")


@click.command(
    short_help="Print a completion script for bash, zsh or fish.",
    epilog=examples(
        'eval "$(carbonline completion bash)"       # in ~/.bashrc',
        'eval "$(carbonline completion zsh)"        # in ~/.zshrc',
        "carbonline completion fish | source         # in config.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a completion script for SHELL: commands, options, types, modules and years.

    Years come from the running stack, if it answers at once.
    """
    found = get_completion_class(shell)
    assert found is not None
    root = context.find_root()
    script = found(root.command, {}, "carbonline", "_CARBONLINE_COMPLETE").source()
    click.echo(script)
