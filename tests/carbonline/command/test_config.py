"""`carbonline config check` asks each process for its own settings."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from carbonline.command.exit_codes import ExitCode
from carbonline.command.main import main
from tests.carbonline.serving.processes import PROGRAMS, line_like, process

SECRET = "correct-horse"
TEXT = f"""
lease_seconds = 60
beat_seconds = 12
database_url = "postgresql://carbonline:{SECRET}@host/name"
scheduler_address = "unix:/run/s"

[ledger]
ledger_address = "unix:/run/l"

[gateway]
gateway_address = "127.0.0.1:7410"
ledger_address = "unix:/run/l"
"""


@pytest.fixture(autouse=True)
def nothing_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("DATABASE_URL", "SCHEDULER_ADDRESS", "LEDGER_ADDRESS", "LEASE_SECONDS"):
        monkeypatch.delenv(f"CARBONLINE_{name}", raising=False)


def checked(tmp_path: Path, text: str, *words: str) -> tuple[int, str]:
    path = tmp_path / "carbonline.toml"
    path.write_text(text)
    ended = CliRunner().invoke(main, ["config", "check", *words, "--file", str(path)])
    return ended.exit_code, ended.stdout + ended.stderr


def test_settings_that_can_be_used(tmp_path: Path) -> None:
    code, said = checked(tmp_path, TEXT)
    assert code == ExitCode.SUCCESS, said
    for name in ("scheduler", "ledger", "worker", "gateway"):
        assert f"{name}: the settings can be used." in said
    assert "CARBONLINE_LEASE_SECONDS" in said
    assert SECRET not in said
    assert "(not shown)" in said


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        (f"mysql://me:{SECRET}@host/name", "host/name: mysql is not PostgreSQL; correct it"),
        (f"me:{SECRET}@host/name", "it is not a URL like postgresql://user@host/name; correct it"),
        (f"postgresql://me:a/{SECRET}@host/x", "it is not a URL like postgresql://user@host/name"),
        (f"postgresql://me:{SECRET}@[::1/x", "it is not a URL like postgresql://user@host/name"),
        (f"postgresql://me:{SECRET}@[::1]:5432,host:1/x", ""),
        (f"postgresql+psycopg://me:{SECRET}@/name?host=/run/postgresql", ""),
    ],
)
def test_a_database_url_that_the_start_would_refuse_is_told(
    tmp_path: Path, url: str, fault: str
) -> None:
    text = TEXT.replace(f"postgresql://carbonline:{SECRET}@host/name", url)
    for name in ("scheduler", "ledger"):
        code, said = checked(tmp_path, text, name)
        told = " ".join(said.split())
        assert (code, fault in told, SECRET in said) == (2 if fault else 0, True, False), said
        assert ("CARBONLINE_DATABASE_URL: it is not" in told) == bool(fault)


@pytest.mark.parametrize("process", ["worker", "gateway"])
def test_several_addresses_with_tls_are_told_before_the_start(tmp_path: Path, process: str) -> None:
    several = TEXT.replace('"unix:/run/s"', '"10.0.0.1:7400,10.0.0.2:7400"')
    code, said = checked(tmp_path, several, process)
    assert code == ExitCode.SUCCESS, said
    code, said = checked(tmp_path, f'tls_ca = "ca.pem"\n{several}', process)
    assert code == ExitCode.REFUSED
    assert "CARBONLINE_SCHEDULER_ADDRESS 10.0.0.1:7400,10.0.0.2:7400: with TLS, use one name" in (
        " ".join(said.split())
    )


def test_what_is_missing_wrong_or_read_by_nobody(tmp_path: Path) -> None:
    text = TEXT.replace("lease_seconds = 60", "lease_seconds = 5\nlaese = 1")
    code, said = checked(tmp_path, text, "scheduler", "worker")
    assert code == ExitCode.REFUSED
    assert "CARBONLINE_BEAT_SECONDS (12) must be at most a quarter" in said
    assert "Not read by scheduler, worker: laese." in said
    code, printed = checked(tmp_path, text, "scheduler", "worker", "--json")
    assert code == ExitCode.REFUSED
    told = json.loads(printed)
    assert {row["process"] for row in told["rows"]} == {"scheduler", "worker"}
    assert {name: len(faults) for name, faults in told["faults"].items()} == {
        "scheduler": 2,
        "worker": 1,
    }
    assert told["unread"] == {"names": ["laese"]}
    assert SECRET not in printed


def test_what_a_process_with_faults_reads_is_not_said_to_be_read_by_none(tmp_path: Path) -> None:
    text = TEXT.replace("lease_seconds = 60", 'lease_seconds = 5\njob_types = "noop"')
    code, said = checked(tmp_path, text, "scheduler", "worker")
    assert (code, "worker: 1 setting missing or wrong" in said) == (ExitCode.REFUSED, True), said
    assert "Not read by" not in said


def test_job_types_that_no_worker_runs_are_wrong(tmp_path: Path) -> None:
    text = f'{TEXT}[worker]\njob_types = "csv_ingest, csv_injest"\n'
    code, said = checked(tmp_path, text, "worker")
    assert (code, "not csv_injest" in said) == (ExitCode.REFUSED, True), said


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"{TEXT}[scheduler]\nbuild_id = {'[' * 9_999}", "is not TOML"),
        ("LEASE_SECONDS = 70\n" + TEXT, "LEASE_SECONDS and lease_seconds are one setting"),
        (f'jwt_keys = "https://me:{SECRET}@issuer/keys"\n{TEXT}', "without user and password"),
    ],
)
def test_odd_files_are_told_in_a_sentence(tmp_path: Path, text: str, fault: str) -> None:
    code, said = checked(tmp_path, text, "scheduler")
    assert (code, fault in said) == (ExitCode.REFUSED, True), said
    assert "Traceback" not in said
    assert SECRET not in said


def test_an_address_that_the_start_would_refuse_is_wrong(tmp_path: Path) -> None:
    text = TEXT.replace("unix:/run/s", "0.0.0.0:7400").replace("unix:/run/l", "127.0.0.1:7401")
    code, said = checked(tmp_path, text, "scheduler", "ledger")
    assert code == ExitCode.REFUSED
    assert "CARBONLINE_SCHEDULER_ADDRESS 0.0.0.0:7400: without TLS only loopback" in said
    assert "CARBONLINE_LEDGER_ADDRESS 127.0.0.1:7401: a TCP port needs" in said


def test_a_file_that_others_may_read_is_named_beside_the_faults(tmp_path: Path) -> None:
    text = TEXT.replace("[ledger]", f"token_file = '{tmp_path}/token'\n[ledger]")
    token = tmp_path / "token"
    token.touch()
    token.chmod(0o644)
    (tmp_path / "carbonline.toml").touch(0o600)
    code, said = checked(tmp_path, text, "scheduler", "worker")
    assert code == ExitCode.SUCCESS, said
    assert said.count(f"CARBONLINE_TOKEN_FILE {token}: others of this machine may read") == 1
    assert f"run `chmod 600 {token}`." in said
    _, printed = checked(tmp_path, text, "scheduler", "--json")
    [sentence] = json.loads(printed)["exposed"]["scheduler"]
    assert f"{token}: others" in sentence
    token.chmod(0o600)
    _, said = checked(tmp_path, text, "scheduler")
    assert "others of this machine" not in said


def test_a_mark_before_the_first_line_harms_nothing(tmp_path: Path) -> None:
    code, said = checked(tmp_path, f"\ufeff{TEXT}", "scheduler")
    assert code == ExitCode.SUCCESS, said


async def test_a_process_starts_with_what_the_file_says(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "carbonline.toml"
    path.write_text(
        f"database_url = {json.dumps(database_url)}\n[scheduler]\n"
        f'scheduler_address = "unix:{tmp_path}/s"\nbuild_id = "of the file"\n'
    )
    async with process(*PROGRAMS["scheduler"], CONFIG_FILE=str(path)) as running:
        line = await line_like(running, lambda said: said["event"] == "scheduler_started")
        assert line["build_id"] == "of the file"
        running.send_signal(signal.SIGTERM)
        await asyncio.wait_for(running.communicate(), 30)
    assert running.returncode == 0
