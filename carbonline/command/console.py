"""`carbonline console`: opens the console of a running stack in the browser, logged in."""

import json
import urllib.error
import urllib.request
import webbrowser

import click

from carbonline.command.command_group import examples
from carbonline.command.connection import NobodyThere, Target, command_line, connection_options
from carbonline.local.stack_file import find_stack

SECONDS_MAX = 10.0


@click.command(
    short_help="Open the console in the browser.",
    epilog=examples("carbonline console", "carbonline console --print"),
)
@click.option("--print", "prints", is_flag=True, help="Print the address; open no browser.")
@connection_options
def console(target: Target, *, prints: bool) -> None:
    """Open the console of the stack that runs on the data folder, logged in.

    The address holds a code that is good for a minute and for one use, and no token.
    """
    stack = find_stack(target.data_folder)
    if stack is None or not stack.console_url or stack.token_file is None:
        raise NobodyThere(
            f"No console runs on the folder {target.data_folder}. Start one with "
            f"'{command_line('up', target)}'."
        )
    token = stack.token_file.read_text(encoding="utf-8").strip()
    address = f"{stack.console_url}login#code={_code(stack.console_url, token)}"
    if prints or not webbrowser.open(address):
        click.echo(address)
    else:
        click.echo(f"The console is open in the browser: {stack.console_url}")


def _code(url: str, token: str) -> str:
    request = urllib.request.Request(  # noqa: S310 - the address of a stack on this machine
        f"{url}v1/session/codes",
        b"",
        {"Authorization": f"Bearer {token}"},
        method="POST",
    )
    # Proxies in the environment are for the web.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=SECONDS_MAX) as answer:
            return str(json.load(answer)["code"])
    except (OSError, urllib.error.URLError, ValueError, KeyError) as error:
        raise NobodyThere(f"The gateway at {url} does not answer: {error}. See its log.") from None
