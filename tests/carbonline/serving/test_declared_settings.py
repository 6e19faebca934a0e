"""What a process reads is declared once: it is what --help, the docs and a refusal tell of."""

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

from carbonline.serving.config_file import CONFIG_FILE
from carbonline.serving.declared_settings import HELP_COLUMNS, Setting
from scheduler_service import settings as scheduler_settings
from tests.build.compose_file import PREFIX, settings_names
from tests.carbonline.serving.processes import PROGRAMS
from worker_service import settings as worker_settings

DECLARED: dict[str, Sequence[Setting]] = {
    "scheduler": scheduler_settings.SETTINGS,
    "worker": worker_settings.SETTINGS["worker"],
    "ledger": worker_settings.SETTINGS["ledger"],
}
ENOUGH = {
    f"{PREFIX}DATABASE_URL": "postgresql://x",
    f"{PREFIX}SCHEDULER_ADDRESS": "unix:s",
    f"{PREFIX}LEDGER_ADDRESS": "unix:l",
}


def started(name: str, *more: str, **given: str) -> subprocess.CompletedProcess[str]:
    """A program with these variables and no other, at its end."""
    return subprocess.run(
        [sys.executable, *PROGRAMS[name], *more],
        env=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_settings_all_that_is_missing_is_listed_at_once(name: str) -> None:
    ended = started(name)
    assert (ended.returncode, ended.stdout) == (2, "")
    needed = [setting.variable for setting in DECLARED[name] if setting.example]
    assert len(needed) == 2
    assert re.findall(
        r"^  (\w+) is missing: set it to something like ", ended.stderr, re.MULTILINE
    ) == (needed)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_wrong_is_listed_with_what_is_missing(name: str) -> None:
    ended = started(name, CARBONLINE_METRICS_PORT="soon", CARBONLINE_DATABASE_URL="postgresql://x")
    assert ended.returncode == 2
    assert "2 settings are missing or wrong:" in ended.stderr
    assert "_ADDRESS is missing" in ended.stderr
    assert "CARBONLINE_METRICS_PORT must be a port" in ended.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_tells_of_every_setting_and_fits_a_terminal(name: str) -> None:
    ended = started(name, "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.findall(r"^(CARBONLINE_\w+)  \(", ended.stdout, re.MULTILINE) == [
        setting.variable for setting in DECLARED[name]
    ]
    assert max(map(len, ended.stdout.splitlines())) <= HELP_COLUMNS


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_fits_a_narrow_terminal_and_cuts_no_word(name: str) -> None:
    narrow, wide = started(name, "--help", COLUMNS="40"), started(name, "--help")
    assert narrow.stdout.split() == wide.stdout.split()
    # Only what cannot be broken is longer: the name of a setting, an address.
    longer = [line for line in narrow.stdout.splitlines() if len(line) > 40]
    assert [line for line in longer if len(line.split()) > 1] == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_that_nobody_reads_ends_in_silence(name: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, *PROGRAMS[name], "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_word_that_is_not_understood_is_answered_with_the_usage(name: str) -> None:
    ended = started(name, "--hlep")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("usage: python -m ")


def test_every_variable_that_is_read_is_declared_and_the_other_way_round() -> None:
    for module, roles in ((scheduler_settings, ()), (worker_settings, ("worker", "ledger"))):
        read = {name for role in roles or ("",) for name in names_read(module, role)}
        declared = {one.variable for role in roles or ("scheduler",) for one in DECLARED[role]}
        # The file is read before them all.
        assert read | {CONFIG_FILE.variable} == declared


def names_read(module: object, role: str) -> set[str]:
    """All that the settings ask for, with a database in either variable."""
    roles = (role,) if role else ()
    return settings_names(module, ENOUGH, *roles)


def test_a_scheduler_made_by_hand_has_the_declared_defaults() -> None:
    read = scheduler_settings.read_settings(ENOUGH)
    by_hand = scheduler_settings.Settings("postgresql://x", "unix:s")
    assert dataclasses.replace(read, build_id=by_hand.build_id) == by_hand


def test_a_worker_without_a_ledger_needs_no_database() -> None:
    given = {f"{PREFIX}JOB_TYPES": "noop", f"{PREFIX}SCHEDULER_ADDRESS": "unix:s"}
    assert worker_settings.read_settings(given).database_url == ""


@pytest.mark.parametrize("name", ["scheduler", "ledger"])
def test_settings_of_signed_tokens_are_set_together_and_keys_come_from_a_safe_place(
    name: str,
) -> None:
    keys = f"{PREFIX}JWT_KEYS"
    ended = started(name, **ENOUGH, **{keys: "http://issuer.example/keys"})
    assert ended.returncode == 2
    assert f"{PREFIX}JWT_ISSUER and {PREFIX}JWT_AUDIENCE must be set together" in ended.stderr
    assert f"{keys} http://issuer.example/keys: keys are fetched over https only" in ended.stderr


@pytest.mark.parametrize("name", ["scheduler", "ledger"])
def test_a_certificate_has_its_key_and_only_words_do_without_tls(name: str) -> None:
    given = {f"{PREFIX}TLS_CERT_FILE": "server.crt", f"{PREFIX}WITHOUT_TLS": "1"}
    ended = started(name, **ENOUGH, **given)
    assert ended.returncode == 2
    assert f"{PREFIX}TLS_CERT_FILE and {PREFIX}TLS_KEY_FILE must be set together" in ended.stderr
    assert f'{PREFIX}WITHOUT_TLS must be "a mesh or proxy encrypts" or empty' in ended.stderr
