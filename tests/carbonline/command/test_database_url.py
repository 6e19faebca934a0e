"""A database's URL in a file, for commands: its password is in no list of processes."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from carbonline.command.database_url import database_url_options

URL = "postgresql://user:password@host/name"


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
        run("--database-url", URL),
    ):
        assert (code, out) == (0, f"URL {URL}\n")
    assert run() == (0, "URL None\n")


def test_what_is_missing_doubled_or_empty_is_refused(path: str, tmp_path: Path) -> None:
    code, out = run(required=True)
    assert (code, "Missing option '--database-url'" in out) == (2, True)
    code, out = run("--database-url", URL, DATABASE_URL_FILE=path)
    assert (code, "not both" in out, "password" in out) == (2, True, False)
    (tmp_path / "empty").write_text("\n")
    code, out = run("--database-url-file", str(tmp_path / "empty"))
    assert (code, "is empty" in out) == (2, True)
    (tmp_path / "bytes").write_bytes(b"\xff")
    code, out = run("--database-url-file", str(tmp_path / "bytes"))
    assert (code, "cannot be read" in out) == (2, True)
