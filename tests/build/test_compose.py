"""Dockerfile and docker-compose.yml beside the code, as they are read. test_image.py runs them."""

import ast
import importlib.util
import os
import re
import shlex
import stat
import subprocess
from pathlib import Path

import click
import pytest

from carbonline.command.main import main as carbonline_command
from carbonline.local import healthcheck
from carbonline.serving.logs import open_log
from gateway_service import settings as gateway_settings
from scheduler_service import settings as scheduler_settings
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.build.compose_file import (
    PREFIX,
    REPOSITORY,
    VARIABLE,
    compose,
    environment_of,
    mounts_of,
    services,
    settings_names,
)
from tests.carbonline.serving.processes import line_like, process, settings_of
from worker_service import settings as worker_settings

OURS = ("migrate", "token", "scheduler", "ledger", "worker", "gateway", "client")
SERVERS = ("scheduler", "ledger")
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")


def variables_of(service: str) -> set[str]:
    return {name for name in environment_of(service) if name.startswith(PREFIX)}


def command_line_names() -> set[str]:
    """Every variable that an option of the command line reads."""
    assert isinstance(carbonline_command, click.Group)
    return {
        str(option.envvar)
        for command in carbonline_command.commands.values()
        for option in command.params
        if isinstance(option, click.Option) and option.envvar
    }


def test_the_scheduler_reads_every_variable_that_it_is_given() -> None:
    assert variables_of("scheduler") <= settings_names(
        scheduler_settings, environment_of("scheduler")
    )


@pytest.mark.parametrize("service", ["ledger", "worker"])
def test_ledger_and_workers_read_every_variable_that_they_are_given(service: str) -> None:
    assert variables_of(service) <= settings_names(
        worker_settings, environment_of(service), service
    )


def test_the_gateway_reads_every_variable_that_it_is_given() -> None:
    assert variables_of("gateway") <= settings_names(gateway_settings, environment_of("gateway"))


@pytest.mark.parametrize("service", ["migrate", "client"])
def test_the_command_line_reads_every_variable_that_it_is_given(service: str) -> None:
    assert variables_of(service)
    assert variables_of(service) <= command_line_names()


def test_a_token_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    shell, option, line = services()["token"]["command"]
    wanted = environment_of("scheduler")[f"{PREFIX}TOKEN_FILE"]
    assert environment_of("ledger")[f"{PREFIX}TOKEN_FILE"] == wanted
    token = tmp_path / "token"
    command = (shell, option, line.replace(wanted, str(token)))
    subprocess.run(command, check=True)
    made = token.read_text()
    assert (stat.S_IMODE(token.stat().st_mode), len(made.strip()) >= 32) == (0o600, True)
    subprocess.run(command, check=True)
    assert token.read_text() == made


def test_a_variable_that_nobody_reads_is_found() -> None:
    environment = {**environment_of("worker"), f"{PREFIX}CONCURENCY": "4"}
    assert f"{PREFIX}CONCURENCY" not in settings_names(worker_settings, environment)


def test_all_speak_of_the_same_addresses_database_leases_and_files() -> None:
    for name in ("SCHEDULER_ADDRESS", "LEDGER_ADDRESS", "DATABASE_URL", "BLOB_FOLDER"):
        found = {environment_of(service).get(PREFIX + name) for service in OURS} - {None}
        assert len(found) == 1, name
    for name in ("LEASE_SECONDS", "BEAT_SECONDS"):
        assert environment_of("scheduler")[PREFIX + name] == environment_of("worker")[PREFIX + name]


@pytest.mark.parametrize("service", [s for s in OURS if s != "migrate"])
def test_sockets_and_files_lie_on_volumes_that_all_share(service: str) -> None:
    mounts = mounts_of(service)
    assert mounts["/run/carbonline"] == "sockets"
    for name, value in environment_of(service).items():
        if name.endswith("_ADDRESS") and name != f"{PREFIX}GATEWAY_ADDRESS":
            assert Path(value.removeprefix("unix:")).parent == Path("/run/carbonline")
        if name == f"{PREFIX}BLOB_FOLDER":
            assert mounts[value] == "blobs"


def test_volumes_are_named_and_owned_by_the_user_that_the_processes_run_as() -> None:
    named = {source for service in services() for source in mounts_of(service).values()} - {"."}
    assert named == set(compose()["volumes"])
    prepared = dict(
        re.findall(r"--owner carbonline --group carbonline --mode (\d+)[\s\\]+(/\S+)", DOCKERFILE)
    )
    assert prepared == {"0770": "/run/carbonline", "0700": "/var/lib/carbonline/blobs"}
    folders = {target for s in OURS for target, source in mounts_of(s).items() if source != "."}
    assert set(prepared.values()) == folders
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["carbonline"]


def test_everybody_waits_for_what_it_needs_and_nothing_waits_in_a_circle() -> None:
    waits = {name: set(service.get("depends_on", {})) for name, service in services().items()}
    while waits:
        ready = {name for name, others in waits.items() if not others & waits.keys()}
        assert ready, waits
        waits = {name: others for name, others in waits.items() if name not in ready}
    for service in services().values():
        for other, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services()[other], other


def words_of(command: list[str]) -> list[str]:
    """The program and its arguments, also of what a shell begins."""
    if command[:2] != ["sh", "-c"]:
        return command
    if not command[2].startswith("umask 0007 && exec "):
        # A line of its own, whose program is the shell.
        return command
    return shlex.split(command[2].removeprefix("umask 0007 && exec "))


def test_commands_and_health_checks_exist_in_the_image() -> None:
    for name, service in services().items():
        lines = [service["command"]] if "command" in service else []
        lines += [service["healthcheck"]["test"][1:]] if "healthcheck" in service else []
        for line in (line for line in lines if name != "postgres"):
            program, *arguments = words_of(line)
            if arguments[:1] == ["-m"]:
                assert importlib.util.find_spec(arguments[1]), arguments
            elif program == "sh":
                assert name == "token"
            elif arguments[:1] == ["-c"]:
                ast.parse(arguments[1])
            elif name == "client":
                assert program in carbonline_command.commands
            else:
                assert (program, arguments[0] in carbonline_command.commands) == (
                    "carbonline",
                    True,
                )


def test_what_is_asked_about_its_health_is_where_it_serves() -> None:
    for name in SERVERS:
        address = environment_of(name)[f"{PREFIX}{name.upper()}_ADDRESS"]
        assert services()[name]["healthcheck"]["test"][-1] == address
    for name in ("worker", "gateway"):
        port = environment_of(name)[f"{PREFIX}METRICS_PORT"]
        assert f"127.0.0.1:{port}/readyz" in services()[name]["healthcheck"]["test"][-1]


def test_workers_have_time_to_drain_and_can_be_many() -> None:
    worker = services()["worker"]
    grace = int(environment_of("worker")[f"{PREFIX}DRAIN_GRACE_SECONDS"])
    assert int(worker["stop_grace_period"].removesuffix("s")) >= grace + 10
    assert not worker.keys() & {"container_name", "ports", "hostname"}


def test_only_this_machine_reaches_a_port_and_no_password_is_written_down() -> None:
    text = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
    published = {name: one["ports"] for name, one in services().items() if "ports" in one}
    assert published == {"gateway": ["127.0.0.1:7410:7410"]}, "to this machine only"
    without_variables = VARIABLE.sub("", text)
    assert without_variables.count("POSTGRES_PASSWORD") == 2  # how to make one, and who needs it
    assert 'POSTGRES_PASSWORD: ""' in without_variables
    assert "://carbonline:@postgres/" in without_variables
    assert text.splitlines()[2].startswith('#   echo "POSTGRES_PASSWORD=')


def test_images_come_by_their_plain_names_and_packages_by_their_hashes() -> None:
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"python:3.12-slim"}
    images = {service["image"] for service in services().values()}
    assert images == {"postgres:17", "carbonline"}
    joined = DOCKERFILE.replace("\\\n", " ")
    installs = re.findall(r"^RUN pip (.+)", joined, re.MULTILINE)
    assert [("--require-hashes" in line, "--no-deps" in line) for line in installs] == [
        (True, False),
        (False, True),
        (True, False),
        (False, True),
    ]


def test_what_runs_is_an_environment_without_build_tools() -> None:
    stage = re.compile(r"^FROM \S+(?: AS (\w+))?\n(.*?)(?=^FROM|\Z)", re.MULTILINE | re.DOTALL)
    stages = dict(stage.findall(DOCKERFILE))
    assert set(stages) == {"wheel", "environment", ""}
    assert "--requirement requirements-server.lock" in stages["environment"]
    assert "requirements.lock" not in stages["environment"]
    assert "venv --without-pip" in stages["environment"]
    assert re.findall(r"^COPY (.+)$", stages[""], re.MULTILINE) == [
        "--from=environment /opt/carbonline /opt/carbonline"
    ]
    assert "pip" not in stages[""]


def test_the_client_writes_its_files_as_their_owner_and_still_reaches_the_sockets() -> None:
    client = services()["client"]
    assert mounts_of("client")[client["working_dir"]] == "."
    assert not [mount for mount in client["volumes"] if mount.endswith(":ro")]
    _, _, group = client["user"].partition(":")
    assert re.findall(r"groupadd --gid (\d+) carbonline", DOCKERFILE) == [group]
    assert not [name for name in OURS if name != "client" and "user" in services()[name]]


@pytest.mark.parametrize("service", SERVERS)
async def test_a_servers_socket_is_open_to_its_group_and_to_nobody_else(
    service: str, database_url: str, tmp_path: Path
) -> None:
    shell, option, line = services()[service]["command"]
    settings = settings_of(database_url, tmp_path)
    async with process(option, line, program=shell, **settings) as running:
        await line_like(running, lambda said: said["event"] == f"{service}_started")
        socket = settings[f"{service.upper()}_ADDRESS"].removeprefix("unix:")
        assert stat.S_IMODE(os.stat(socket).st_mode) == 0o770  # noqa: PTH116


def test_what_the_image_copies_is_there_and_let_through() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    copied = {name for line in copies for name in line.split()}
    assert copied == allowed
    assert [name for name in sorted(copied) if not (REPOSITORY / name).exists()] == []


async def test_the_health_check_tells_a_server_from_nobody(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(database_url=database_url, address=f"unix:{tmp_path}/s")
    async with running_server(settings, open_log("critical")):
        assert await healthcheck.fault_of(settings.address) == ""
    assert "Nothing listens at" in await healthcheck.fault_of(settings.address)


def test_the_health_check_wants_one_address() -> None:
    assert healthcheck.main([]) == healthcheck.EXIT_USAGE
