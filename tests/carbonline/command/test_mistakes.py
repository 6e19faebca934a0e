"""Ordinary mistakes end with a sentence and an exit code, and never with a traceback."""

import os
import resource
import socket
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import click
import pytest
from click.testing import CliRunner, Result

from carbonline.client.errors import ServerError
from carbonline.client.no_answer import Server
from carbonline.command.asynchronous import run_to_end, sentence_of
from carbonline.command.connection import Target, command_line
from carbonline.command.demo import EXPECTED_KG, doubt_about
from carbonline.command.exit_codes import ExitCode
from carbonline.command.main import main
from carbonline.command.options import FILE
from carbonline.command.output_file import written_file
from carbonline.local.errors import LocalStackError, WrongChoice
from carbonline.local.folder_lock import locked_folder


def typed(*words: str | Path, **environment: str) -> Result:
    """The end of `carbonline WORDS`, in this process."""
    return CliRunner().invoke(main, [*map(str, words)], env=environment)


@pytest.mark.parametrize("words", [("demo",), ("up",)])
def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, words: Sequence[str]) -> None:
    (tmp_path / "file").touch()
    ended = typed(*words, "--data-folder", tmp_path / "file" / "data")
    assert (ended.exit_code, "Error: " in ended.output) == (2, True), ended.output
    assert str(tmp_path / "file") in ended.output


@pytest.mark.parametrize("command", ["watch", "cancel", "jobs", "withdraw"])
@pytest.mark.parametrize("number", ["9" * 23, "abc", "0"])
def test_what_is_not_an_id_is_wrong_usage(command: str, number: str) -> None:
    ended = typed(command, number, "--scheduler", "unix:/absent")
    said = f"'{number}' is not a whole number from 1 up."
    assert (ended.exit_code, said in ended.output) == (2, True), ended.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("totals", "--year", "abc"), "'abc' is not a whole number from 1990 to 2100."),
        (("jobs", "1", "--limit", "0"), "'0' is not a whole number from 1 to 500."),
        (("up", "--scheduler-port", "70000"), "'70000' is not a whole number from 0 to 65,535."),
    ],
)
def test_a_number_out_of_its_range_is_told_with_the_range(
    words: tuple[str, ...], said: str
) -> None:
    ended = typed(*words)
    assert (ended.exit_code, said in " ".join(ended.output.split())) == (2, True), ended.output


@pytest.mark.parametrize("token", [b"\x80\x00\xff", b"two\nlines"])
def test_a_file_that_holds_no_token_is_named(tmp_path: Path, token: bytes) -> None:
    (tmp_path / "token").write_bytes(token)
    ended = typed("workers", "--scheduler", "unix:/absent", "--token-file", tmp_path / "token")
    assert ended.exit_code == ExitCode.REFUSED
    assert f"{tmp_path / 'token'}: a token must be one line of plain text" in ended.output


def test_a_folder_in_use_and_a_taken_port_are_wrong_usage(
    tmp_path: Path, empty_database_url: str
) -> None:
    with locked_folder(tmp_path / "held"):
        ended = typed("up", "--data-folder", tmp_path / "held")
    assert (ended.exit_code, "is in use by process" in ended.output) == (2, True), ended.output
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        words = ("up", "--data-folder", tmp_path / "free", "--database-url", empty_database_url)
        ended = typed(*words, "--scheduler-port", str(port))
    assert (ended.exit_code, "Cannot use port" in ended.output) == (2, True), ended.output


@pytest.mark.parametrize("command", ["migrate", "up"])
@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("connect_timeout=10", 'parameter "connect_timeout"; correct that parameter'),
        ("sslmode=never", "`sslmode` parameter must be one of"),
        ("sslmode", "it is not a URL like postgresql://user@host/name"),
    ],
)
def test_a_database_url_that_cannot_be_used_is_wrong_usage(
    tmp_path: Path, empty_database_url: str, command: str, parameter: str, said: str
) -> None:
    folder = ("--data-folder", tmp_path / "data") if command == "up" else ()
    url = f"{empty_database_url}&password=secret&{parameter}"
    ended = typed(command, *folder, CARBONLINE_DATABASE_URL=url)
    assert (ended.exit_code, said in ended.output) == (2, True), ended.output
    errors = ended.output.partition("Error: ")[2]
    assert (errors.count("\n"), "secret" in ended.output) == (1, False), ended.output


def test_ordinary_parameters_are_no_mistake(empty_database_url: str) -> None:
    parameters = "sslmode=disable&application_name=x&options=-c%20lock_timeout%3D1s"
    ended = typed("migrate", "--database-url", f"{empty_database_url}&{parameters}")
    assert (ended.exit_code, ended.output) == (0, "Both schemas are up to date.\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WrongChoice("said"), ExitCode.REFUSED),
        (LocalStackError("said"), ExitCode.UNREACHABLE),
        (PermissionError(13, "said", "/x"), ExitCode.REFUSED),
        (OSError(28, "said"), ExitCode.REFUSED),
        (ConnectionResetError(104, "said"), ExitCode.UNREACHABLE),
        (TimeoutError("said"), ExitCode.UNREACHABLE),
    ],
)
def test_what_the_system_says_has_its_exit_code(
    error: Exception, code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        run_to_end(fails())
    assert ended.value.code == code
    assert "said" in capsys.readouterr().err


def test_a_server_that_does_not_know_the_call_is_perhaps_the_other_one() -> None:
    error = ServerError("UNIMPLEMENTED", "", "Method not found!", {}, {})
    assert "Check that --scheduler and --ledger are not swapped" in sentence_of(error)


def test_a_command_to_type_next_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("CARBONLINE_")]:
        monkeypatch.delenv(name)
    target = Target(Path("my data"), "unix:/s", "unix:/l", Path("my token"), "a'b")
    assert command_line("watch 7", target).endswith(
        "watch 7 --data-folder 'my data' --scheduler unix:/s --ledger unix:/l "
        "--token-file 'my token' --tenant 'a'\"'\"'b'"
    )
    monkeypatch.setenv("CARBONLINE_DATA_FOLDER", "my data")
    monkeypatch.setenv("CARBONLINE_TENANT", "another")
    said = command_line("watch 7", target)
    assert "--data-folder" not in said
    assert "--tenant" in said


def test_a_written_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def break_off(output: Path) -> None:
        with written_file(output) as file:
            file.write(b"half")
            raise click.Abort

    with pytest.raises(click.Abort):
        break_off(tmp_path / "rows.csv")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        break_off(tmp_path / "absent" / "rows.csv")


def test_a_disk_that_fills_up_leaves_nothing_and_is_told_by_name(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "rows.csv").write_bytes(b"as before")
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, hard))
    try:
        with (
            pytest.raises(OSError, match=r"rows\.csv") as full,
            written_file(tmp_path / "rows.csv") as file,
        ):
            file.write(b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert full.value.filename == str(tmp_path / "rows.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    assert (tmp_path / "rows.csv").read_bytes() == b"as before"


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "rows.csv")
    with written_file(tmp_path / "link.csv") as file:
        file.write(b"rows")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "rows.csv").read_bytes() == b"rows"
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with written_file(tmp_path / "pipe") as file:
        file.write(b"rows")
    assert os.read(reading, 100) == b"rows"
    os.close(reading)
    assert (tmp_path / "pipe").is_fifo()


def test_a_pipe_is_kept_in_a_file_for_as_long_as_the_command_runs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "trips.csv")
    text = b"unit,trips\n" * 100_000
    writer = Thread(target=(tmp_path / "trips.csv").write_bytes, args=(text,))
    writer.start()
    with click.Context(main) as context:
        copy = FILE.convert(str(tmp_path / "trips.csv"), None, context)
        writer.join()
        assert (copy.name, copy.is_file(), copy.read_bytes() == text) == ("trips.csv", True, True)
    assert not copy.exists()


def test_the_demo_says_when_its_totals_are_not_its_own() -> None:
    assert doubt_about(EXPECTED_KG, {"computed": 328_521}) == ""
    assert "other factors" in doubt_about(EXPECTED_KG + 1, {"computed": 328_521})
    assert "other factors" in doubt_about(EXPECTED_KG, {"computed": 1, "no_factor": 1})


def test_a_server_that_answers_for_its_database_does_not_look_silent_itself() -> None:
    why = "the database has not answered for 15 s; retry this call later"
    server = Server("scheduler", "127.0.0.1:7500")
    error = ServerError("UNAVAILABLE", "DATABASE_UNAVAILABLE", why, {}, {}, server)
    expected = f"The scheduler at 127.0.0.1:7500 cannot answer now: {why} [DATABASE_UNAVAILABLE]"
    assert sentence_of(error) == expected
