"""Runs PostgreSQL on a private unix socket, as a child that cannot outlive its owner."""

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from carbonline.local.child_process import ChildProcess
from carbonline.local.errors import LocalStackError
from carbonline.local.folder_lock import locked_folder
from carbonline.local.postgres.binaries import find_binaries
from carbonline.local.postgres.data_folder import (
    SUPERUSER,
    end_old_backends,
    lock_files,
    prepare_data_folder,
    read_pid_file,
    server_environment,
    server_that_holds,
)
from carbonline.local.postgres.identity import choose_identity
from carbonline.local.socket_folder import make_socket_folder, remove_socket_folder

if TYPE_CHECKING:
    import asyncpg

PORT = 5432
START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 60.0
CONNECT_SECONDS_MAX = 20.0
LOOK_AGAIN_SECONDS = 0.01
TRY_AGAIN_SECONDS = 0.1
STILL_HELD = "pre-existing shared memory block"
DATABASE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class EmbeddedPostgres:
    """A server on `folder/data`, reachable only through a socket in a 0700 folder."""

    def __init__(
        self, folder: Path, socket_folder: Path, child: ChildProcess, lock: ExitStack
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.socket_folder = socket_folder
        self.child = child
        self._lock = lock

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        log_file: Path | None = None,
        settings: Mapping[str, str] = NO_SETTINGS,
        environment: Mapping[str, str] = os.environ,
    ) -> "EmbeddedPostgres":
        """Starts a server, and waits until it is ready. Makes the data folder if it is missing.

        Call it in the main thread. `settings` are lines of postgresql.conf. Raises LocalStackError
        if the folder is in use, no PostgreSQL is found, the data is of another version, or the
        server does not start.
        """
        folder = Path.cwd() / folder
        log_file = log_file or folder / "postgres.log"
        with ExitStack() as lock:
            lock.enter_context(locked_folder(folder))
            data = folder / "data"
            runnable = choose_identity(find_binaries(environment), folder, data)
            await prepare_data_folder(data, runnable, settings, log_file)
            owner = runnable.identity.uid
            socket_folder = make_socket_folder(folder, owner)
            lock.callback(remove_socket_folder, folder, owner)
            child = ChildProcess(
                name="postgres",
                command=_command(runnable.binaries.postgres, data, socket_folder),
                environment=server_environment(),
                log_file=log_file,
                death_signal=signal.SIGINT,
                identity=runnable.identity.launch,
            )
            server = cls(folder, socket_folder, child, lock)
            await server.start()
            server._lock = lock.pop_all()
            return server

    async def start(self) -> None:
        """Starts the server after a crash or `stop_server`. Returns when it accepts connections."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS_MAX
        await self._old_server_gone(deadline)
        try:
            # After kill -9 old backends hold the shared memory for a moment.
            while not await self._started(deadline):
                end_old_backends(self.data)
                await asyncio.sleep(TRY_AGAIN_SECONDS)
        except BaseException:
            self.child.kill()
            raise

    async def stop_server(self) -> None:
        """Shuts down fast, with a checkpoint. The folder stays locked for `start`."""
        await self.child.stop(signal.SIGINT, STOP_SECONDS_MAX)

    async def close(self) -> None:
        """Shuts down fast, and unlocks the folder."""
        try:
            await self.stop_server()
        finally:
            self._lock.close()

    def url(self, database: str) -> str:
        """A URL for asyncpg. SQLAlchemy takes it with the scheme `postgresql+asyncpg`."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self.socket_folder}&port={PORT}"

    async def create_database(self, name: str, template: str | None = None) -> str:
        """Creates a database, as a copy of `template` if given. Returns its URL.

        Nobody may be connected to the template. Raises asyncpg.DuplicateDatabaseError.
        """
        # File by file: the default writes each page into the log too, four times the work.
        copied = f" TEMPLATE {_quoted(template)} STRATEGY FILE_COPY" if template else ""
        await self._execute(f"CREATE DATABASE {_quoted(name)}{copied}")
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drops a database if it exists, and cuts its connections."""
        await self._execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    async def has_database(self, name: str) -> bool:
        """Whether a database of this name exists."""
        connection = await self._connected()
        try:
            found = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name)
        finally:
            await connection.close()
        return found is not None

    async def _execute(self, statement: str) -> None:
        connection = await self._connected()
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        # Installations of the client alone lack the driver, but import this module.
        import asyncpg  # noqa: PLC0415

        return await asyncpg.connect(self.url("postgres"), timeout=CONNECT_SECONDS_MAX)

    async def _started(self, deadline: float) -> bool:
        """True when ready, False if another try may help. Raises LocalStackError otherwise."""
        self.child.start()
        while self.child.running:
            found = read_pid_file(self.data)
            # A file left behind may say ready too, so only that of the child counts.
            if found is not None and found.pid == self.child.pid and found.status == "ready":
                return True
            self._check_time(deadline)
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        if STILL_HELD not in self.child.log_text():
            raise LocalStackError(f"PostgreSQL did not start. {self.child.where_to_read()}")
        self._check_time(deadline)
        return False

    async def _old_server_gone(self, deadline: float) -> None:
        """Waits for a server whose owner was killed, then removes the files that it left behind."""
        files = lock_files(self.data, self.socket_folder, PORT)
        while (pid := server_that_holds(files, self.data)) is not None:
            if asyncio.get_running_loop().time() > deadline:
                raise LocalStackError(
                    f"Another PostgreSQL (process {pid}) runs on {self.data} and does not "
                    "stop. Stop it, or choose another folder."
                )
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        # The process id in them may belong to an unrelated process by now, or to a zombie.
        # PostgreSQL would respect both. It replaces a socket without a lock file.
        for path in files:
            path.unlink(missing_ok=True)

    def _check_time(self, deadline: float) -> None:
        if asyncio.get_running_loop().time() > deadline:
            raise LocalStackError(
                f"PostgreSQL was not ready after {START_SECONDS_MAX:g} s. "
                f"{self.child.where_to_read()}"
            )


def _command(postgres: str, data: Path, socket_folder: Path) -> list[str]:
    # On the command line, so that no configuration file can make it listen elsewhere.
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "port": str(PORT),
    }
    return [postgres, "-D", str(data), *(f"--{name}={value}" for name, value in options.items())]


def _quoted(name: str) -> str:
    if not DATABASE_NAME.fullmatch(name):
        raise ValueError(f"not a plain database name: {name}")
    return f'"{name}"'
