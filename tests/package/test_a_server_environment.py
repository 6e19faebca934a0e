"""What an image holds is enough to migrate, serve and work, and has no PostgreSQL of its own."""

import signal
from pathlib import Path

import pytest

from tests.carbonline.serving.processes import PROGRAMS, line_like, process, settings_of
from tests.package.environments import Environment
from tests.tidy.test_locks import SERVER_LOCK, locked


def test_the_lock_of_the_image_is_what_servers_need(server_alone: Environment) -> None:
    assert set(locked(SERVER_LOCK)) == set(server_alone.packages)


@pytest.mark.parametrize("name", PROGRAMS)
async def test_every_process_migrates_starts_and_ends(
    server_alone: Environment, empty_database_url: str, tmp_path: Path, name: str
) -> None:
    migrated = server_alone.run(
        "carbonline", "migrate", "--database-url", empty_database_url, cwd=tmp_path
    )
    assert migrated.returncode == 0, migrated
    python = server_alone.folder / "bin" / "python"
    settings = settings_of(empty_database_url, tmp_path)
    # Isolated (-I): nothing of the checkout in which this test stands.
    async with process("-I", *PROGRAMS[name], program=python, **settings) as running:
        await line_like(running, lambda line: line["event"] == f"{name}_started")
        running.send_signal(signal.SIGTERM)
        await running.communicate()
        assert running.returncode == 0
