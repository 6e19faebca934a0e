"""A number that is none is refused by every program, with its variable, its value and the range."""

import asyncio
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from carbonline.command.main import main as carbonline_command
from carbonline.serving.declared_settings import PREFIX
from carbonline.serving.settings import SettingsWrong
from scheduler_service import settings as scheduler_settings
from tests.build.compose_file import settings_names
from tests.carbonline.serving.processes import PROGRAMS, SECONDS_MAX, process
from worker_service import settings as worker_settings

ENOUGH = {
    f"{PREFIX}DATABASE_URL": "postgresql://x",
    f"{PREFIX}SCHEDULER_ADDRESS": "unix:s",
    f"{PREFIX}LEDGER_ADDRESS": "unix:l",
}
SERVICES = (scheduler_settings, worker_settings)
NO_NUMBERS = ("nan", "-NaN", "inf", "-inf", "Infinity", "1e999", "-1", "soon", "1,5")
NO_WHOLE_NUMBERS = (*NO_NUMBERS, "1.9", "1e3", "0x10", "1 2")


def numbers_of(service: ModuleType) -> dict[str, type]:
    """Variable -> int or float, for each number that the settings declare and read."""
    read = settings_names(service, ENOUGH)
    declared = {
        f"{PREFIX}{field.name.upper()}": field.type
        for field in dataclasses.fields(service.Settings)
        if field.type in (int, float)
    }
    # It stands in a field with the address.
    declared[f"{PREFIX}METRICS_PORT"] = int
    return {name: kind for name, kind in declared.items() if name in read}


WRONG = [
    pytest.param(service, name, value, id=f"{service.__name__}-{name}-{value}")
    for service in SERVICES
    for name, kind in numbers_of(service).items()
    for value in (NO_NUMBERS if kind is float else NO_WHOLE_NUMBERS)
]


@pytest.mark.parametrize(("service", "name", "value"), WRONG)
def test_no_number_is_a_setting_s_fault(service: ModuleType, name: str, value: str) -> None:
    said = rf"^{name} must be a .*\d.*, not {re.escape(repr(value))}$"
    with pytest.raises(SettingsWrong, match=said):
        service.read_settings({**ENOUGH, name: value})


def test_every_declared_number_but_three_is_a_variable() -> None:
    unread = {
        field.name
        for service in SERVICES
        for field in dataclasses.fields(service.Settings)
        if field.type in (int, float) and f"{PREFIX}{field.name.upper()}" not in numbers_of(service)
    }
    assert unread == {"keepalive_seconds", "watch_seconds_max", "drain_grace_seconds"}
    assert numbers_of(worker_settings)[f"{PREFIX}DRAIN_GRACE_SECONDS"] is float
    assert f"{PREFIX}METRICS_PORT" in settings_names(scheduler_settings, ENOUGH)


@pytest.mark.parametrize("service", SERVICES)
def test_the_metrics_host_is_an_address(service: ModuleType) -> None:
    variable = f"{PREFIX}METRICS_HOST"
    assert service.read_settings({**ENOUGH, variable: "::"}).metrics.host == "::"
    with pytest.raises(SettingsWrong, match=f"^{variable} must be an IP address .*'localhost'$"):
        service.read_settings({**ENOUGH, variable: "localhost"})


@pytest.mark.parametrize("service", SERVICES)
def test_all_faults_are_one_message(service: ModuleType) -> None:
    wrong = dict.fromkeys(numbers_of(service), "nan")
    with pytest.raises(SettingsWrong) as refused:
        service.read_settings({**ENOUGH, **wrong, f"{PREFIX}LOG_LEVEL": "loud"})
    said = str(refused.value).split("; ")
    assert sorted(part.split()[0] for part in said) == sorted([*wrong, f"{PREFIX}LOG_LEVEL"])


def test_numbers_at_the_ends_of_what_is_allowed_are_taken() -> None:
    edges = {"LEASE_SECONDS": "86400", "BEAT_SECONDS": "1e-3", "METRICS_PORT": "65535"}
    own = {"CONCURRENCY": "1000", "DRAIN_GRACE_SECONDS": "0"}
    given = {PREFIX + name: value for name, value in {**edges, **own}.items()}
    settings = worker_settings.read_settings({**ENOUGH, **given})
    assert (settings.lease_seconds, settings.beat_seconds) == (86_400.0, 0.001)
    assert (settings.metrics.port, settings.concurrency) == (65_535, 1000)
    assert settings.drain_grace_seconds == 0.0


def test_a_worker_takes_several_schedulers_if_they_go_together() -> None:
    variable = f"{PREFIX}SCHEDULER_ADDRESS"
    together = worker_settings.read_settings({**ENOUGH, variable: "unix:/run/a,unix:/run/b"})
    assert together.scheduler_address == "unix:/run/a,unix:/run/b"
    with pytest.raises(SettingsWrong, match=f"^{variable} unix:/run/a,h:1: several addresses"):
        worker_settings.read_settings({**ENOUGH, variable: "unix:/run/a,h:1"})


@pytest.mark.parametrize("service", SERVICES)
def test_a_url_names_any_driver(service: ModuleType) -> None:
    given = {**ENOUGH, f"{PREFIX}DATABASE_URL": "postgresql+psycopg://user:a+b@host/name"}
    assert service.read_settings(given).database_url == "postgresql://user:a+b@host/name"


@pytest.mark.parametrize("name", PROGRAMS)
async def test_every_program_says_so_in_one_line_and_ends_with_2(name: str) -> None:
    given = {variable.removeprefix(PREFIX): value for variable, value in ENOUGH.items()}
    async with process(*PROGRAMS[name], **given, METRICS_PORT="nan") as running:
        _, said = await asyncio.wait_for(running.communicate(), SECONDS_MAX)
    assert running.returncode == 2
    assert said.decode().count("\n") == 1
    assert "CARBONLINE_METRICS_PORT must be a port" in said.decode()


def numeric_options(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    """The words of every command of the command line with an option that takes a number."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from numeric_options(child, *path, name)
    for option in command.params:
        if isinstance(option.type, click.types.IntParamType | click.types.FloatParamType):
            words = option.opts[:1] if isinstance(option, click.Option) else []
            yield (*path, *words)


@pytest.mark.parametrize("value", ["nan", "inf", "1.9", "soon"])
@pytest.mark.parametrize("words", [*numeric_options(carbonline_command)], ids=" ".join)
def test_the_command_line_refuses_no_number(words: tuple[str, ...], value: str) -> None:
    answer = CliRunner().invoke(carbonline_command, [*words, value])
    assert answer.exit_code == 2
    assert f"{value!r} is not a whole number from " in " ".join(answer.output.split())
    assert (words[-1] if words[-1].startswith("--") else "Invalid value for") in answer.output


def test_the_command_line_has_numbers() -> None:
    words = set(numeric_options(carbonline_command))
    assert {("up", "--lease-seconds"), ("load", "units", "--year"), ("watch",)} <= words


@pytest.mark.parametrize("service", SERVICES)
def test_a_secret_may_stand_in_a_file(service: ModuleType, tmp_path: Path) -> None:
    variable, path = f"{PREFIX}DATABASE_URL", tmp_path / "url"
    path.write_text("postgresql://user:password@host/name\n")
    given = {name: value for name, value in ENOUGH.items() if "DATABASE_URL" not in name}
    of_file = {**given, f"{variable}_FILE": str(path)}
    assert service.read_settings(of_file).database_url == "postgresql://user:password@host/name"
    with pytest.raises(SettingsWrong, match=f"^set either {variable} or {variable}_FILE, not both"):
        service.read_settings({**of_file, variable: "postgresql://host/name"})
    for wrong, reason in ((b"\n", "its first line is empty"), (b"\xff", "text in UTF-8")):
        path.write_bytes(wrong)
        with pytest.raises(SettingsWrong, match=f"^{variable}_FILE {path}: .*{reason}$"):
            service.read_settings(of_file)
    path.unlink()
    with pytest.raises(SettingsWrong, match=f"^{variable}_FILE {path}: No such file"):
        service.read_settings(of_file)
