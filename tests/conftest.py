"""A real PostgreSQL for the whole session, and a migrated database of its own for each test.

Each pytest-xdist worker has a server of its own: half a second, and nothing to agree upon.
"""

import asyncio
import itertools
import shutil
import signal
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import pytest

from carbonline.local.postgres import EmbeddedPostgres
from carbonline.migrations.run import migrate_all

# The data does not outlive the session, so a power cut may take it: a test costs less than half.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
NAMES = itertools.count()

T = TypeVar("T")

# Who starts the tests in the background, as with nohup, starts them deaf to Ctrl-C, and so are the
# processes that they start. Some tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def to_its_end(work: Coroutine[None, None, T]) -> T:
    """Run a coroutine outside the test's own event loop, which does not exist yet or any more.

    The driver of a browser keeps a loop in the thread of the tests; then it runs in another one.
    """
    if asyncio._get_running_loop() is not None:  # None where there is none
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, work).result()
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The session's server; tests use it through the fixtures below."""
    folder = tmp_path_factory.mktemp("cluster")
    server = to_its_end(EmbeddedPostgres.open(folder, settings=THROWAWAY))
    try:
        yield server
    finally:
        to_its_end(server.close())
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated_template(cluster: EmbeddedPostgres) -> str:
    """The name of a database with both histories migrated, to which nobody is connected."""
    return to_its_end(_migrated(cluster, "migrated"))


@pytest.fixture
def database_url(cluster: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """An own database with both schemas, migrated; dropped after the test."""
    with _database(cluster, migrated_template) as url:
        yield url


@pytest.fixture
def empty_database_url(cluster: EmbeddedPostgres) -> Iterator[str]:
    """An own database with nothing in it; dropped after the test."""
    with _database(cluster, None) as url:
        yield url


@contextmanager
def _database(cluster: EmbeddedPostgres, template: str | None) -> Iterator[str]:
    name = f"test_{next(NAMES)}"
    url = to_its_end(cluster.create_database(name, template))
    try:
        yield url
    finally:
        to_its_end(cluster.drop_database(name))


async def _migrated(cluster: EmbeddedPostgres, name: str) -> str:
    await migrate_all(await cluster.create_database(name))
    return name
