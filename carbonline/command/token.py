"""`carbonline token`: a local issuer of signed tokens, for sites without another one."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import CommandGroup, examples
from carbonline.command.names import module_numbers
from carbonline.command.options import WholeNumber
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.output_file import STDOUT, written_file
from carbonline.extras import lacks
from carbonline.v1 import options_pb2

MINUTES = 60
MINUTES_MAX = 30 * 24 * 60
NAME_CHARACTERS_MAX = 128
# As much as a cookie has.
GATEWAY_CHARACTERS_MAX = 4_096
ISSUER, AUDIENCE = "carbonline token", "carbonline"
ROLES = tuple(name.removeprefix("ROLE_").lower() for name in options_pb2.Role.keys()[1:])
COLUMNS = (
    Column("name"),
    Column("tenants"),
    Column("roles"),
    Column("modules"),
    Column("units"),
    Column("expires_at", "until"),
    Column("state", kind=Kind.WORD),
    Column("issuer", in_tables=False),
    Column("audience", in_tables=False),
    Column("key", in_tables=False),
)
_FILE = click.Path(dir_okay=False, path_type=Path)
_KEY = click.option("--key", "key_file", type=_FILE, required=True, help="The issuer's key.")
_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    default=STDOUT,
    help="Write it here, for its owner only.",
)


@click.group(
    cls=CommandGroup,
    short_help="Issue and inspect tokens of a local issuer.",
    epilog=examples(
        "carbonline token key --key issuer.key --jwks jwks.json",
        "carbonline token issue ann --key issuer.key --tenant north --role operator",
        "carbonline token show ann.token",
    ),
)
def token() -> None:
    """Issue and inspect the tokens of a local issuer.

    For a site that has no identity provider. Servers read the public keys (CARBONLINE_JWT_KEYS).
    Whoever has the key can issue any token, so keep it where no server runs.
    """
    if lacking := lacks("server", "A token"):
        raise click.UsageError(lacking)


@token.command(
    short_help="Make a key, and add it to a JWKS.",
    epilog=examples("carbonline token key --key issuer.key --jwks jwks.json"),
)
@_KEY
@click.option("--jwks", "jwks_file", type=_FILE, required=True, help="What servers read.")
def key(key_file: Path, jwks_file: Path) -> None:
    """Make a key that only you can read, and add its public half to a JWKS.

    To rotate keys, make a second one with the same JWKS, issue with it, and take the first one out
    of the JWKS when its last token has expired.
    """
    from carbonline.local.token_issuer import IssuerUnusable, make_key  # noqa: PLC0415

    try:
        name = make_key(key_file, jwks_file)
    except FileExistsError:
        raise click.UsageError(f"{key_file} exists, and a key is never replaced") from None
    except (IssuerUnusable, OSError) as error:
        raise click.UsageError(str(error)) from None
    click.echo(f"The key {name} is in {key_file}, and its public half in {jwks_file}. At servers,")
    click.echo(f"set CARBONLINE_JWT_KEYS={jwks_file.resolve()}, CARBONLINE_JWT_ISSUER='{ISSUER}'")
    click.echo(f"and CARBONLINE_JWT_AUDIENCE={AUDIENCE}.")


@token.command(
    short_help="Issue a token.",
    epilog=examples(
        "carbonline token issue ann --key issuer.key --tenant north --role operator",
        "carbonline token issue w1 --key issuer.key --tenant north --role worker",
    ),
)
@click.argument("name")
@_KEY
@click.option("--tenant", "tenants", multiple=True, required=True, help="Repeat it for several.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(ROLES),
    help="Repeat it for several.",
)
@click.option(
    "--module",
    "modules",
    multiple=True,
    type=click.Choice(tuple(module_numbers())),
    metavar="MODULE",
    help="Only these modules.",
)
@click.option("--unit", "units", multiple=True, help="Only these units.")
@click.option(
    "--minutes",
    type=WholeNumber(1, MINUTES_MAX),
    default=MINUTES,
    show_default=True,
    help="How long it is good.",
)
@click.option("--issuer", default=ISSUER, show_default=True, envvar="CARBONLINE_JWT_ISSUER")
@click.option("--audience", default=AUDIENCE, show_default=True, envvar="CARBONLINE_JWT_AUDIENCE")
@_OUTPUT
def issue(
    *,
    name: str,
    key_file: Path,
    minutes: int,
    issuer: str,
    audience: str,
    output: Path,
    **granted: tuple[str, ...],
) -> None:
    """Issue a token for NAME, and print it, or write it to a file.

    Clients and workers read the file again when it has changed, so issue the next token into the
    same file.
    """
    from carbonline.local.token_issuer import Grant, IssuerUnusable, issue_token  # noqa: PLC0415

    if not (0 < len(name) <= NAME_CHARACTERS_MAX and name.isprintable()):
        raise click.BadParameter(f"NAME must have 1 to {NAME_CHARACTERS_MAX} printable characters")
    grant = Grant(name, **granted)
    try:
        signed = issue_token(
            key_file, grant, issuer=issuer, audience=audience, seconds=minutes * 60
        )
        with written_file(output, private=True) as file:
            file.write(f"{signed}\n".encode())
    except (IssuerUnusable, OSError) as error:
        raise click.UsageError(str(error)) from None
    if len(signed) > GATEWAY_CHARACTERS_MAX:
        words = f"This token has {len(signed):,} characters. The gateway and its console take"
        click.echo(f"{words} {GATEWAY_CHARACTERS_MAX:,}; servers take it.", err=True)


@token.command(
    short_help="Show what a token says.",
    epilog=examples("carbonline token show ann.token", "carbonline token show --json ann.token"),
)
@click.argument("token_file", metavar="FILE", type=click.File())
@output_options
def show(token_file: Any, output: Output) -> None:
    """Show what the token in FILE says; `-` reads it from the standard input.

    Whether its signature is right is known to servers only.
    """
    from carbonline.local.token_issuer import IssuerUnusable, claims_of  # noqa: PLC0415

    try:
        claims = claims_of(token_file.read().strip())
    except IssuerUnusable as error:
        raise click.UsageError(f"{token_file.name}: {error}") from None
    show_rows(COLUMNS, [_row(claims)], output)


def _row(claims: Mapping[str, Any]) -> Row:
    role = claims.get("role")
    until = claims.get("exp")
    try:
        ends = dt.datetime.fromtimestamp(until, dt.UTC) if isinstance(until, int | float) else None
    except (OverflowError, ValueError):
        words = f"the end of this token, {until}, is not in seconds since 1970"
        raise click.UsageError(words) from None
    over = ends is None or ends <= dt.datetime.now(dt.UTC)
    return {
        "name": claims.get("sub"),
        "tenants": _listed(claims.get("tenants")),
        "roles": _listed(role),
        "modules": _listed(claims.get("modules")),
        "units": _listed(claims.get("units")),
        "expires_at": ends.isoformat(timespec="seconds") if ends is not None else None,
        "state": "expired" if over else "good",
        "issuer": claims.get("iss"),
        "audience": _listed(claims.get("aud")),
        "key": claims.get("kid"),
    }


def _listed(claim: Any) -> str:
    return ", ".join(map(str, claim)) if isinstance(claim, list) else str(claim or "")
