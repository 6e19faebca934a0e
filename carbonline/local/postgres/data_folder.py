"""What lies on disk: the data folder's making, its version, and a pid file left behind."""

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
    # parallelism. Without parallel plans a container's 64 MB of /dev/shm suffice, too.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # Queue tables turn over quickly; vacuum has to look at them often.
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
    """Make the data folder if there is none, else check its version; then write the settings."""
    if data.exists():  # noqa: ASYNC240 - at start, before anything else runs
        check_version(data, runnable.binaries)
    else:
        await _initialise(data, runnable, log_file)
    path = data / SETTINGS_FILE
    lines = [f"{name} = '{value}'" for name, value in {**SETTINGS, **settings}.items()]
    path.write_text("\n".join(lines) + "\n")
    os.chown(path, runnable.identity.uid, runnable.identity.gid)


def check_version(data: Path, binaries: Binaries) -> None:
    """WrongChoice unless these programs can serve the data folder."""
    try:
        made_by = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise WrongChoice(
            f"{data} is no PostgreSQL data folder. Move it away or choose another folder."
        ) from None
    if made_by != str(binaries.major):
        raise WrongChoice(
            f"{data} was made by PostgreSQL {made_by}, but the one found here, in "
            f"{binaries.folder}, is {binaries.major}. Set PGBIN to the `bin` folder of a "
            f"PostgreSQL {made_by}, or choose another folder."
        )


async def _initialise(data: Path, runnable: Runnable, log_file: Path) -> None:
    # Made under another name first: a data folder that exists is a complete one.
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
    """The environment of PostgreSQL's programs: nothing of PG*, and messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def read_pid_file(data: Path) -> PidFile | None:
    """What the server says about itself; None when there is no file, or only half of one."""
    return _read_pid_file(data / "postmaster.pid")


def lock_files(data: Path, socket_folder: Path, port: int) -> tuple[Path, Path]:
    """The two files that a server holds by the number of its process: its data's, its socket's."""
    return data / "postmaster.pid", socket_folder / f".s.PGSQL.{port}.lock"


def server_that_holds(files: Iterable[Path], data: Path) -> int | None:
    """The living server of this data folder that one of the files names, if any."""
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
    """End what a killed server left behind: a backend deep in a computation does not notice."""
    for process in Path("/proc").glob("[0-9]*"):
        if is_server_of(int(process.name), data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGQUIT)


def is_server_of(pid: int, data: Path) -> bool:
    """Whether a living process with this id is a postgres of this data folder; no zombie is."""
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
