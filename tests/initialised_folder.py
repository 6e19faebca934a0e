"""A data folder as the first `carbonline up` leaves it, for stacks whose beginning nobody tests.

The database's initialisation and migrations cost each stack more than all its processes. They are
done once per process of tests, and copied. As a program, this file does them in a folder.
"""

import asyncio
import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from carbonline.local.postgres import EmbeddedPostgres
from carbonline.local.stack import DATABASE, POSTGRES
from carbonline.migrations.run import migrate_all


def initialise(data_folder: Path) -> None:
    """Has a stack find its database migrated and empty, on a folder where none has run yet."""
    if data_folder.exists():
        return
    data_folder.mkdir(mode=0o700, parents=True)
    # Not by Python: the files keep their owner, who may be another than the stack's.
    subprocess.run(["cp", "-a", _pattern() / POSTGRES, data_folder / POSTGRES], check=True)


@functools.cache
def _pattern() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="initialised-"))
    atexit.register(shutil.rmtree, folder)
    subprocess.run([sys.executable, "-m", "tests.initialised_folder", folder], check=True)
    return folder


async def _make(folder: Path) -> None:
    server = await EmbeddedPostgres.open(folder / POSTGRES)
    try:
        await migrate_all(await server.create_database(DATABASE))
    finally:
        await server.close()


if __name__ == "__main__":
    asyncio.run(_make(Path(sys.argv[1])))
