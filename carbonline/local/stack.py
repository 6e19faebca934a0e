"""Runs the whole product as child processes: starts, watches and stops them."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TypeAlias

from carbonline.extras import lacks
from carbonline.local.addresses import choose_addresses
from carbonline.local.child_process import ChildProcess
from carbonline.local.errors import WrongChoice
from carbonline.local.folder_lock import locked_folder
from carbonline.local.migration import migrate_schemas
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.local.programs import Program, product_programs, program_environment
from carbonline.local.readiness import until_ready
from carbonline.local.room import has_room
from carbonline.local.settings import Addresses, StackSettings
from carbonline.local.socket_folder import remove_socket_folder
from carbonline.local.stack_file import remove_stack_file, write_stack_file
from carbonline.local.supervision import Report, keep_running, never_raising, report_end
from carbonline.postgres.url import shown_url

POSTGRES = "postgres"
DATABASE = "carbonline"

Programs: TypeAlias = Callable[[StackSettings, Addresses], Sequence[Program]]
Migrate: TypeAlias = Callable[[str], Awaitable[None]]


class Stack:
    """A running stack of `postgres`, `scheduler`, `ledger`, `worker-1`, `worker-2`..."""

    def __init__(
        self,
        settings: StackSettings,
        addresses: Addresses,
        programs: Sequence[Program],
        postgres: EmbeddedPostgres | None,
        report: Report,
    ) -> None:
        self.addresses = addresses
        self._settings = settings
        self._programs = {program.name: program for program in programs}
        self._postgres = postgres
        self._report = report
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._children = {
            program.name: ChildProcess(
                name=program.name,
                command=program.command,
                environment=program_environment(settings, addresses, program),
                log_file=addresses.log_folder / f"{program.name}.log",
            )
            for program in programs
        }
        if postgres is not None:
            self._children[POSTGRES] = postgres.child

    @property
    def names(self) -> Sequence[str]:
        """The names of all processes, including PostgreSQL if the stack has started it."""
        return tuple(self._children)

    def child(self, name: str) -> ChildProcess:
        """The process of this name, with its pid, log file and exit code. Raises KeyError."""
        return self._children[name]

    def pid(self, name: str) -> int:
        """The id of the process, or of its last run if it is not running."""
        return self._children[name].pid

    async def start(self, name: str) -> None:
        """Starts a stopped process and waits until it is ready. Raises LocalStackError."""
        await self._let_go(name)
        await self._start_once(name)
        self._keep(name)

    async def stop(self, name: str) -> None:
        """Stops a process in order. It is not restarted, even if the stack supervises."""
        await self._let_go(name)
        if name == POSTGRES and self._postgres is not None:
            await self._postgres.stop_server()
        else:
            await self.child(name).stop(signal.SIGTERM, self._programs[name].stop_seconds_max)

    async def restart(self, name: str) -> None:
        """Stops and starts a process."""
        await self.stop(name)
        await self.start(name)

    def kill(self, name: str) -> None:
        """Ends a process by kill -9. It is restarted by `start`, or by supervision."""
        self.child(name).kill()

    async def start_all(self) -> None:
        """Starts all processes but PostgreSQL, which runs already, in order of rank."""
        if self._postgres is not None:
            self._keep(POSTGRES)
        ordered = sorted(self._programs.values(), key=attrgetter("rank"))
        for _, programs in groupby(ordered, key=attrgetter("rank")):
            await _all_done([self.start(program.name) for program in programs])

    async def stop_all(self) -> None:
        """Stops all processes but PostgreSQL, workers first."""
        try:
            ordered = sorted(self._programs.values(), key=attrgetter("rank"), reverse=True)
            for _, programs in groupby(ordered, key=attrgetter("rank")):
                await _all_done([self.stop(program.name) for program in programs])
        finally:
            for program in self._programs:
                self.kill(program)
            for name in tuple(self._keepers):
                await self._let_go(name)

    async def _start_once(self, name: str) -> None:
        if name == POSTGRES and self._postgres is not None:
            await self._postgres.start()
            return
        child = self.child(name)
        child.start()
        ready = self._programs[name].ready
        seconds_max = self._settings.ready_seconds_max
        try:
            await until_ready(child, ready, self.addresses.token_file, seconds_max)
        except BaseException:
            child.kill()
            raise

    def _keep(self, name: str) -> None:
        child = self.child(name)
        if self._settings.supervise:
            room = partial(has_room, self.addresses.data_folder)
            work = keep_running(
                child,
                lambda: self._start_again(name),
                self._report,
                room,
                may_end=name in self._settings.worker_names,
            )
        else:
            work = report_end(child, self._report)
        self._keepers[name] = asyncio.create_task(work)

    async def _start_again(self, name: str) -> None:
        await self._start_once(name)
        self._report(f"The {name} is ready again.")

    async def _let_go(self, name: str) -> None:
        keeper = self._keepers.pop(name, None)
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)


async def _all_done(works: Sequence[Awaitable[None]]) -> None:
    """Waits for all of them, then raises the first failure."""
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


def _quiet(_: str) -> None:
    return None


def check_installation() -> None:
    """Raises WrongChoice, with the command that mends it, if packages of a stack are missing."""
    if lacking := lacks("local", "A stack on this machine"):
        raise WrongChoice(lacking)


@asynccontextmanager
async def running_stack(
    settings: StackSettings,
    *,
    report: Report = _quiet,
    notify: Report = _quiet,
    programs: Programs = product_programs,
    migrate: Migrate = migrate_schemas,
) -> AsyncIterator[Stack]:
    """Starts a stack, and stops it in order when the context ends or is cancelled.

    All processes are ready when the context begins. Use it in the main thread, with a data folder
    that no other stack uses. If this process is killed, the kernel ends all the others. `report`
    gets a sentence for each process that ends by itself, `notify` one before each step of the start
    and the stop. Raises LocalStackError.
    """
    check_installation()
    report, notify = never_raising(report), never_raising(notify)
    data_folder = Path.cwd() / settings.data_folder
    async with AsyncExitStack() as cleanup:
        notify(f"Data, logs and sockets are in {data_folder}.")
        cleanup.enter_context(locked_folder(data_folder))
        remove_stack_file(data_folder)
        postgres, database_url = None, settings.database_url
        if database_url is None:
            notify("Starting PostgreSQL ...")
            postgres = await _open_postgres(data_folder)
            cleanup.push_async_callback(postgres.close)
            cleanup.callback(notify, "Stopping PostgreSQL ...")
            database_url = await _database_of(postgres)
        else:
            notify(f"Using the database {shown_url(database_url)}.")
        addresses = choose_addresses(settings, data_folder, database_url)
        cleanup.callback(remove_socket_folder, data_folder)
        notify("Migrating the database ...")
        await migrate(database_url)
        stack = Stack(settings, addresses, programs(settings, addresses), postgres, report)
        cleanup.push_async_callback(stack.stop_all)
        names = ", ".join(name for name in stack.names if name != POSTGRES)
        cleanup.callback(notify, f"Stopping {names} ...")
        notify(f"Starting {names} ...")
        await stack.start_all()
        write_stack_file(addresses)
        cleanup.callback(remove_stack_file, data_folder)
        yield stack


async def _open_postgres(data_folder: Path) -> EmbeddedPostgres:
    return await EmbeddedPostgres.open(
        data_folder / "postgres", log_file=data_folder / "logs" / "postgres.log"
    )


async def _database_of(postgres: EmbeddedPostgres) -> str:
    if not await postgres.has_database(DATABASE):
        await postgres.create_database(DATABASE)
    return postgres.url(DATABASE)
