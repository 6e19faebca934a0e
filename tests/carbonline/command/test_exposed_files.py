"""A person is told which files with secrets others of the machine may read; a script is not."""

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from carbonline.command.connection import Target, connection_options
from carbonline.command.database_url import database_url_options
from carbonline.command.doctor_checks import State, secret_files
from carbonline.command.exposed_files import print_exposed
from carbonline.exposed_file import exposed_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "secret"
    found.write_text("postgresql://user:password@host/name\n")
    found.chmod(0o644)
    return found


def test_a_line_for_a_terminal_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exposed = exposed_file("--token-file", path)
    assert exposed is not None
    print_exposed([exposed])
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    print_exposed([exposed])
    assert capsys.readouterr().err == f"{exposed.sentence}.\n"


def test_every_option_that_names_a_secret_is_looked_at(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    for module in ("connection", "database_url"):
        monkeypatch.setattr(
            f"carbonline.command.{module}.print_exposed",
            lambda exposed: told.extend(one.named_by for one in exposed),
        )

    @click.command()
    @database_url_options("A database.")
    @connection_options
    def command(target: Target, database_url: str | None) -> None:
        click.echo(f"{target.tenant}{database_url}")

    secret = {"--token-file", "--tls-key", "--database-url-file"}
    files = {
        option.opts[0]
        for option in command.params
        if isinstance(option.type, click.Path) and not option.opts[0].endswith("folder")
    }
    assert files - secret == {"--tls-ca", "--tls-cert"}
    words = [word for name in sorted(files) for word in (name, str(path))]
    ended = CliRunner().invoke(command, words)
    assert ended.exit_code == 0, ended.output
    assert set(told) == secret


def test_doctor_has_a_line_for_them(path: Path) -> None:
    target = Target(path.parent, "unix:/s", "", path, "", tls_key=path)
    finding = secret_files(target.exposed_files)
    assert finding.state is State.LOOK
    assert finding.words.endswith(f"--token-file {path}, --tls-key {path}")
    assert finding.to_do.startswith(f"Run `chmod 600 {path}`; run")
    path.chmod(0o600)
    assert secret_files(target.exposed_files).state is State.OK
