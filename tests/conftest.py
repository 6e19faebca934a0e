"""A real PostgreSQL for the whole session, and a migrated database of its own for each test.

Each pytest-xdist worker has a server of its own: half a second, and nothing to agree upon.
It keeps its files in memory where there is enough: each test makes and drops five hundred of them.
"""

import asyncio
import importlib
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

from carbonline.local.postgres import EmbeddedPostgres
from carbonline.migrations.run import migrate_all
from tests import whole_stories

# The data does not outlive the session, so a power cut may take it: a test costs less than half.
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "min_wal_size": "64MB",
}
NAMES = itertools.count()
# Linux's file system in memory. A server takes some 300 MB of it.
MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 2**30
IN_MEMORY = "carbonline-tests-"

T = TypeVar("T")

pytest_xdist_make_scheduler = whole_stories.pytest_xdist_make_scheduler

# What the product and Polars set in their own process they would set in that of the tests, once
# a test calls them in it. Set from the beginning, it is the same for all processes that tests
# start, so that these can be forked from one pattern: see warm_program.py.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
importlib.import_module("polars")
# What a property test found once, and not when it looks again, can be looked for again. No test
# fails because an example takes long: machines are busy.
settings.register_profile("told", print_blob=True, deadline=None)
settings.load_profile("told")

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


def folder_in_memory() -> Path | None:
    """A new folder whose files cost no disk; none where there is no room for it.

    Its name tells the process that made it: what a killed one left is removed by the next.
    """
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < MEMORY_BYTES_MIN:
        return None
    for left in MEMORY.glob(f"{IN_MEMORY}*"):
        maker = left.name.removeprefix(IN_MEMORY).partition("-")[0]
        if not Path("/proc", maker).exists():
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{IN_MEMORY}{os.getpid()}-", dir=MEMORY))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The session's server; tests use it through the fixtures below."""
    folder = folder_in_memory() or tmp_path_factory.mktemp("cluster")
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
    with own_database(cluster, migrated_template) as url:
        yield url


@pytest.fixture
def empty_database_url(cluster: EmbeddedPostgres) -> Iterator[str]:
    """An own database with nothing in it; dropped after the test."""
    with own_database(cluster, None) as url:
        yield url


@contextmanager
def own_database(cluster: EmbeddedPostgres, template: str | None) -> Iterator[str]:
    """A new database, a copy of `template` if given; dropped at the end."""
    name = f"test_{next(NAMES)}"
    url = to_its_end(cluster.create_database(name, template))
    try:
        yield url
    finally:
        to_its_end(cluster.drop_database(name))


async def _migrated(cluster: EmbeddedPostgres, name: str) -> str:
    await migrate_all(await cluster.create_database(name))
    return name
