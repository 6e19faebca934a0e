"""A database's URL in a file, for commands: its password is in no list of processes."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from carbonline.command.database_url import database_url_options
from carbonline.command.main import main

URL = "postgresql://user:password@host/name"
PLAIN = "postgresql://user@host/name"


def run(*words: str, required: bool = False, **environment: str) -> tuple[int, str]:
    @click.command()
    @database_url_options("A database.", required=required)
    def command(database_url: str | None) -> None:
        click.echo(f"URL {database_url}")

    given = {f"CARBONLINE_{name}": value for name, value in environment.items()}
    ended = CliRunner().invoke(command, words, env=given)
    return ended.exit_code, ended.output


@pytest.fixture
def path(tmp_path: Path) -> str:
    found = tmp_path / "url"
    found.write_text(f"{URL}\nanother line\n")
    return str(found)


def test_the_url_is_the_first_line_of_the_file(path: str) -> None:
    for code, out in (
        run("--database-url-file", path),
        run(DATABASE_URL_FILE=path, required=True),
        run(DATABASE_URL=URL),
    ):
        assert (code, out) == (0, f"URL {URL}\n")
    assert run("--database-url", PLAIN) == (0, f"URL {PLAIN}\n")
    assert run() == (0, "URL None\n")


def test_what_is_missing_doubled_or_empty_is_refused(path: str, tmp_path: Path) -> None:
    code, out = run(required=True)
    assert (code, "Missing option '--database-url'" in out) == (2, True)
    code, out = run("--database-url", PLAIN, DATABASE_URL_FILE=path)
    assert (code, "not both" in out, "password" in out) == (2, True, False)
    (tmp_path / "empty").write_text("\n")
    code, out = run("--database-url-file", str(tmp_path / "empty"))
    assert (code, "is empty" in out) == (2, True)
    (tmp_path / "bytes").write_bytes(b"\xff")
    code, out = run("--database-url-file", str(tmp_path / "bytes"))
    assert (code, "cannot be read" in out) == (2, True)


def commands_with_a_database() -> list[str]:
    assert isinstance(main, click.Group)
    return [
        name
        for name, command in main.commands.items()
        if any("database_url" in (option.name or "") for option in command.params)
    ]


@pytest.mark.parametrize("command", commands_with_a_database())
@pytest.mark.parametrize(
    "url", [URL, f"{PLAIN}?password=password", f"{PLAIN}?sslpassword=password"]
)
def test_a_password_is_taken_from_no_command_line(command: str, url: str) -> None:
    ended = CliRunner().invoke(main, (command, "--database-url", url))
    said = " ".join(ended.output.split())
    assert (ended.exit_code, "=abc" in said, ":password" in said) == (2, False, False), said
    assert "name it with --database-url-file or CARBONLINE_DATABASE_URL_FILE" in said


def test_no_option_of_a_command_is_a_secret() -> None:
    """What opens something is in a file that an option names, or in the environment."""
    assert isinstance(main, click.Group)
    words = ("password", "secret", "token", "key", "credential")
    found = {
        f"{name} {option.opts[0]}"
        for name, one in main.commands.items()
        for command in (one, *(one.commands.values() if isinstance(one, click.Group) else ()))
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag
        if any(word in option.opts[0] for word in words) and not isinstance(option.type, click.Path)
    }
    assert found == set()
