"""The data folder of PostgreSQL: making it, its version, and pid files left behind."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from carbonline.local.child_process import ChildProcess
from carbonline.local.errors import LocalStackError, WrongChoice
from carbonline.local.postgres.binaries import Binaries
from carbonline.local.postgres.identity import Runnable

SUPERUSER = "carbonline"
INITDB_SECONDS_MAX = 120
SETTINGS_FILE = "carbonline.conf"
STATUS_LINE = 7

# For a machine of two cores that also runs the scheduler and the workers.
SETTINGS: Mapping[str, str] = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_compression": "on",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    # Statements are short: compiling them costs more than it saves, and the workers are the
    # parallelism. Without parallel plans the 64 MB of a container's /dev/shm suffice.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # Rows of queue tables change quickly, so vacuum must run often.
    "autovacuum_naptime": "10s",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "cluster_name": "carbonline",
}


@dataclass(frozen=True)
class PidFile:
    """The first and the eighth line of postmaster.pid."""

    pid: int
    status: str


async def prepare_data_folder(
    data: Path, runnable: Runnable, settings: Mapping[str, str], log_file: Path
) -> None:
    """Makes the data folder, or checks its version if it exists. Then writes the settings."""
    if data.exists():  # noqa: ASYNC240 - at start, before anything else runs
        check_version(data, runnable.binaries)
    else:
        await _initialise(data, runnable, log_file)
    path = data / SETTINGS_FILE
    lines = [f"{name} = '{value}'" for name, value in {**SETTINGS, **settings}.items()]
    path.write_text("\n".join(lines) + "\n")
    os.chown(path, runnable.identity.uid, runnable.identity.gid)


def check_version(data: Path, binaries: Binaries) -> None:
    """Raises WrongChoice unless these programs can serve the data folder."""
    try:
        made_by = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise WrongChoice(
            f"{data} is not a PostgreSQL data folder. Move it away, or choose another folder."
        ) from None
    if made_by != str(binaries.major):
        raise WrongChoice(
            f"{data} was made by PostgreSQL {made_by}, but the one found here, in "
            f"{binaries.folder}, is {binaries.major}. Set PGBIN to the `bin` folder of a "
            f"PostgreSQL {made_by}, or choose another folder."
        )


async def _initialise(data: Path, runnable: Runnable, log_file: Path) -> None:
    # Made under another name first, so that an existing data folder is always complete.
    unfinished = data.with_name(data.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    os.chown(unfinished, runnable.identity.uid, runnable.identity.gid)
    initdb = ChildProcess(
        name="initdb",
        command=[
            runnable.binaries.initdb,
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ],
        environment=server_environment(),
        log_file=log_file,
        identity=runnable.identity.launch,
    )
    initdb.start()
    if await initdb.ended_within(INITDB_SECONDS_MAX) != 0:
        raise LocalStackError(f"PostgreSQL's initdb failed. {initdb.where_to_read()}")
    with (unfinished / "postgresql.conf").open("a") as configuration:
        configuration.write(
            f"\ninclude '{SETTINGS_FILE}'  # written at each start; lines below it win\n"
        )
    unfinished.rename(data)


def server_environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: without PG* variables, with English messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def read_pid_file(data: Path) -> PidFile | None:
    """The id and the status of the server. None if the file is missing or incomplete."""
    return _read_pid_file(data / "postmaster.pid")


def lock_files(data: Path, socket_folder: Path, port: int) -> tuple[Path, Path]:
    """The two files by which a server locks its data folder and its socket."""
    return data / "postmaster.pid", socket_folder / f".s.PGSQL.{port}.lock"


def server_that_holds(files: Iterable[Path], data: Path) -> int | None:
    """The id of a running server of this data folder that one of the files names, if any."""
    found = (_read_pid_file(path) for path in files)
    return next((one.pid for one in found if one and is_server_of(one.pid, data)), None)


def _read_pid_file(path: Path) -> PidFile | None:
    try:
        lines = path.read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return PidFile(pid, lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else "")


def end_old_backends(data: Path) -> None:
    """Ends backends of a killed server. A busy one does not notice that the server is gone."""
    for process in Path("/proc").glob("[0-9]*"):
        if is_server_of(int(process.name), data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGQUIT)


def is_server_of(pid: int, data: Path) -> bool:
    """Whether this process runs, and is a postgres of this data folder. False for a zombie."""
    process = Path("/proc") / str(pid)
    if process.parent.joinpath("self").exists():
        try:
            name = (process / "comm").read_text().strip()
            return name == "postgres" and (process / "cwd").resolve() == data.resolve()
        except OSError:
            return False
    answer = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return "postgres" in answer.stdout and str(data) in answer.stdout
