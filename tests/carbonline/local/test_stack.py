"""A stack is ready or a sentence, comes back when it falls, and leaves nothing running.

The processes are stand-ins, so that this is about starting and ending; acceptance tests run the
product's own.
"""

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from carbonline.local.errors import LocalStackError
from carbonline.local.programs import (
    AnswersServing,
    LogsEvent,
    Program,
    product_programs,
    program_environment,
)
from carbonline.local.settings import Addresses, StackSettings
from carbonline.local.stack import Stack, running_stack
from carbonline.local.stack_file import find_stack
from tests.carbonline.local.processes import end_of, owned
from tests.ports import free_ports

STAND_IN = Path(__file__).with_name("stand_in.py")
OWNER = """
import asyncio, sys
from pathlib import Path
from carbonline.local.settings import StackSettings
from carbonline.local.stack import running_stack
from tests.carbonline.local.test_stack import migrates_nothing, stand_ins

async def main():
    settings = StackSettings(Path(sys.argv[1]))
    async with running_stack(settings, programs=stand_ins, migrate=migrates_nothing) as stack:
        print(*(stack.pid(name) for name in stack.names), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def stand_in(*role: str) -> tuple[str, ...]:
    return (sys.executable, str(STAND_IN), *role)


def stand_ins(settings: StackSettings, addresses: Addresses) -> Sequence[Program]:
    """The product's programs, each with a small command in its place."""

    def command(program: Program) -> tuple[str, ...]:
        match program.ready:
            case AnswersServing():
                server = program.name.partition("-")[0].upper()
                return stand_in("serves", f"CARBONLINE_{server}_ADDRESS")
            case LogsEvent():
                return stand_in("works")

    programs = product_programs(settings, addresses)
    return [replace(program, command=command(program)) for program in programs]


async def migrates_nothing(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.close()


@pytest.fixture
def settings(tmp_path: Path, empty_database_url: str) -> StackSettings:
    return StackSettings(tmp_path, database_url=empty_database_url, ready_seconds_max=30)


@asynccontextmanager
async def running(settings: StackSettings) -> AsyncIterator[Stack]:
    async with running_stack(settings, programs=stand_ins, migrate=migrates_nothing) as stack:
        yield stack


async def test_everything_is_there_while_it_runs_and_nothing_afterwards(tmp_path: Path) -> None:
    async with running(StackSettings(tmp_path, workers=2)) as stack:
        assert stack.names == ("scheduler", "ledger", "worker-1", "worker-2", "postgres")
        assert all(stack.child(name).running for name in stack.names)
        assert find_stack(tmp_path) == stack.addresses
        assert stack.addresses.scheduler_address.startswith("unix:")
    assert not any(stack.child(name).running for name in stack.names)
    assert find_stack(tmp_path) is None
    for path in (tmp_path / "logs", *(tmp_path / "logs").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    # Asked to end, not killed: they had the time to say so.
    assert "drained" in (tmp_path / "logs" / "worker-1.log").read_text()


async def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    async with owned(OWNER, tmp_path) as (owner, pids):
        assert len(pids) == 5
        assert find_stack(tmp_path) is not None
        owner.kill()
        for pid in pids:
            await end_of(pid)
    # What the dead owner wrote about it does not count.
    assert find_stack(tmp_path) is None
    async with running(StackSettings(tmp_path)) as stack:
        assert stack.child("postgres").running


async def test_ctrl_c_ends_it_in_order(tmp_path: Path) -> None:
    async with owned(OWNER, tmp_path) as (owner, pids):
        owner.send_signal(signal.SIGINT)
        for pid in pids:
            await end_of(pid)
    assert "drained" in (tmp_path / "logs" / "worker-1.log").read_text()
    assert "database system is shut down" in (tmp_path / "logs" / "postgres.log").read_text()


async def test_a_second_stack_on_the_same_folder_is_refused(settings: StackSettings) -> None:
    async with running(settings) as stack:
        with pytest.raises(LocalStackError, match=f"in use by process {os.getpid()}"):
            async with running(settings):
                pass
        assert find_stack(settings.data_folder) == stack.addresses


async def test_a_supervised_process_comes_back_by_itself(settings: StackSettings) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    async with running_stack(
        replace(settings, supervise=True),
        report=told.put_nowait,
        programs=stand_ins,
        migrate=migrates_nothing,
    ) as stack:
        for name in ("scheduler", "worker-2"):
            before = stack.pid(name)
            stack.kill(name)
            assert f"The {name} ended with -9" in await asyncio.wait_for(told.get(), 10)
            assert await asyncio.wait_for(told.get(), 30) == f"The {name} is ready again."
            assert stack.pid(name) != before
        os.kill(stack.pid("worker-2"), signal.SIGTERM)
        sentence = await asyncio.wait_for(told.get(), 10)
        assert sentence == "The worker-2 has ended in order, as it was told to. It stays ended."
        os.kill(stack.pid("scheduler"), signal.SIGTERM)
        assert "The scheduler ended with 0. Restarting" in await asyncio.wait_for(told.get(), 10)
        assert await asyncio.wait_for(told.get(), 30) == "The scheduler is ready again."
        assert not stack.child("worker-2").running
        await stack.restart("scheduler")
        await stack.stop("worker-1")
        assert not stack.child("worker-1").running
    # What ended because it was told to is nobody's surprise.
    assert told.empty()


async def test_a_process_that_ends_on_a_full_disk_comes_back_as_soon_as_there_is_room(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    looks: list[Path] = []
    room = asyncio.Event()

    def has_room(folder: Path) -> bool:
        looks.append(folder)
        return room.is_set()

    monkeypatch.setattr("carbonline.local.stack.has_room", has_room)
    async with running_stack(
        replace(settings, supervise=True),
        report=told.put_nowait,
        programs=stand_ins,
        migrate=migrates_nothing,
    ) as stack:
        stack.kill("scheduler")
        sentence = await asyncio.wait_for(told.get(), 10)
        assert "The scheduler ended with -9, and the disk of the data folder is full." in sentence
        async with asyncio.timeout(10):
            while len(looks) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert not stack.child("scheduler").running
        assert set(looks) == {settings.data_folder}
        room.set()
        assert await asyncio.wait_for(told.get(), 10) == "The scheduler is ready again."


async def test_a_process_comes_back_though_its_end_can_be_reported_to_nobody(
    settings: StackSettings,
) -> None:
    tries: asyncio.Queue[str] = asyncio.Queue()

    def to_a_closed_pipe(sentence: str) -> None:
        tries.put_nowait(sentence)
        raise BrokenPipeError

    async with running_stack(
        replace(settings, supervise=True),
        report=to_a_closed_pipe,
        notify=to_a_closed_pipe,
        programs=stand_ins,
        migrate=migrates_nothing,
    ) as stack:
        before = stack.pid("scheduler")
        stack.kill("scheduler")
        async with asyncio.timeout(30):
            while await tries.get() != "The scheduler is ready again.":
                pass
        assert stack.pid("scheduler") != before


async def test_a_worker_whose_log_stays_empty_is_ready_once_it_has_run_for_a_while(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carbonline.local.readiness.SILENT_SECONDS_MAX", 0.2)

    def silent(settings: StackSettings, addresses: Addresses) -> Sequence[Program]:
        return [Program("worker-1", stand_in("hangs"), LogsEvent("worker_started"), rank=1)]

    async with running_stack(settings, programs=silent, migrate=migrates_nothing) as stack:
        assert stack.child("worker-1").running


async def test_a_supervised_postgresql_comes_back_with_its_data(tmp_path: Path) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    async with running_stack(
        StackSettings(tmp_path, workers=0, supervise=True),
        report=told.put_nowait,
        programs=stand_ins,
        migrate=migrates_nothing,
    ) as stack:
        connection = await asyncpg.connect(stack.addresses.database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS value")
        stack.kill("postgres")
        connection.terminate()
        assert "The postgres ended with -9" in await asyncio.wait_for(told.get(), 10)
        assert await asyncio.wait_for(told.get(), 30) == "The postgres is ready again."
        connection = await asyncpg.connect(stack.addresses.database_url)
        assert await connection.fetchval("SELECT value FROM kept") == 1
        await connection.close()


async def test_without_supervision_a_killed_process_waits_for_its_start(
    settings: StackSettings,
) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    async with running_stack(
        settings, report=told.put_nowait, programs=stand_ins, migrate=migrates_nothing
    ) as stack:
        stack.kill("worker-1")
        assert "The worker-1 ended with -9. See" in await asyncio.wait_for(told.get(), 10)
        assert stack.child("worker-1").exit_code == -signal.SIGKILL
        await stack.start("worker-1")
        assert stack.child("worker-1").running
    assert told.empty()


async def test_a_process_that_ends_at_once_is_a_sentence_with_its_last_words(
    settings: StackSettings,
) -> None:
    def failing(settings: StackSettings, addresses: Addresses) -> Sequence[Program]:
        ledger = Program("ledger", stand_in("fails"), LogsEvent("never"), rank=1)
        worker = Program("worker-1", stand_in("works"), LogsEvent("worker_started"), rank=0)
        return [worker, ledger]

    with pytest.raises(LocalStackError, match=r"The ledger ended with 1 before") as failed:
        async with running_stack(settings, programs=failing, migrate=migrates_nothing):
            pass
    assert str(settings.data_folder / "logs" / "ledger.log") in str(failed.value)
    assert "the reason stands here" in str(failed.value)
    # What had started was ended again.
    assert "drained" in (settings.data_folder / "logs" / "worker-1.log").read_text()


async def test_a_process_that_is_never_ready_has_a_limit(settings: StackSettings) -> None:
    def hanging(settings: StackSettings, addresses: Addresses) -> Sequence[Program]:
        ready = AnswersServing(addresses.scheduler_address)
        return [Program("scheduler", stand_in("hangs"), ready, rank=1)]

    short = replace(settings, ready_seconds_max=1.0)
    with pytest.raises(LocalStackError, match=r"The scheduler was not ready after 1 s"):
        async with running_stack(short, programs=hanging, migrate=migrates_nothing):
            pass


async def test_on_tcp_a_token_of_this_user_alone_is_needed(settings: StackSettings) -> None:
    on_tcp = replace(settings, scheduler_port=0, ledger_port=0, workers=1)
    async with running(on_tcp) as stack:
        assert stack.addresses.scheduler_address.startswith("127.0.0.1:")
        token_file = stack.addresses.token_file
        assert token_file is not None
        assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
        token = token_file.read_text()
        assert len(token.strip()) >= 32
        environment = stack.child("scheduler").environment
        assert environment["CARBONLINE_TOKEN_FILE"] == str(token_file)
    async with running(on_tcp):
        assert token_file.read_text() == token


async def test_several_schedulers_have_an_address_each_and_clients_all_of_them(
    settings: StackSettings,
) -> None:
    first = free_ports(2)
    two_schedulers = replace(settings, schedulers=2, workers=1)
    for port, begins, ends in (
        (None, "unix:", "/scheduler-2.sock"),
        (first, "127.0.0.1:", f":{first + 1}"),
        (0, "127.0.0.1:", ""),
    ):
        async with running(replace(two_schedulers, scheduler_port=port)) as stack:
            assert stack.names == ("scheduler-1", "scheduler-2", "ledger", "worker-1")
            one, two = stack.addresses.scheduler_addresses
            assert one != two
            assert one.startswith(begins)
            assert two.startswith(begins)
            assert two.endswith(ends)
            given = {
                name: stack.child(name).environment["CARBONLINE_SCHEDULER_ADDRESS"]
                for name in ("scheduler-1", "scheduler-2", "worker-1")
            }
            assert given == {"scheduler-1": one, "scheduler-2": two, "worker-1": f"{one},{two}"}
            assert find_stack(settings.data_folder) == stack.addresses
    with pytest.raises(LocalStackError, match=r"3 schedulers need a port each.* up to 65533"):
        async with running(replace(settings, schedulers=3, scheduler_port=65_534)):
            pass


async def test_a_taken_port_is_a_sentence(settings: StackSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalStackError, match=f"Cannot use port {port} of 127.0.0.1 for the"):
            async with running(replace(settings, scheduler_port=port)):
                pass


async def test_each_process_serves_its_metrics_on_a_port_of_its_own(
    settings: StackSettings,
) -> None:
    first = free_ports(4)
    async with running(replace(settings, metrics_port=first)) as stack:
        names = ("scheduler", "ledger", "worker-1", "worker-2")
        assert stack.addresses.metrics_urls == {
            name: f"http://127.0.0.1:{first + place}/metrics" for place, name in enumerate(names)
        }
        for name, port in stack.addresses.metrics_ports.items():
            assert stack.child(name).environment["CARBONLINE_METRICS_PORT"] == str(port)
        assert find_stack(settings.data_folder) == stack.addresses


async def test_metrics_without_room_for_their_ports_are_a_sentence(settings: StackSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1] - 1
        with pytest.raises(
            LocalStackError, match=r"Cannot use port \d+ of 127.0.0.1 for the metrics of the \w+:"
        ):
            async with running(replace(settings, metrics_port=first)):
                pass
    with pytest.raises(LocalStackError, match=r"4 processes need a port each .* up to 65532"):
        async with running(replace(settings, metrics_port=65_533)):
            pass


async def test_the_file_that_tells_where_the_stack_is_is_private(settings: StackSettings) -> None:
    async with running(settings):
        path = settings.data_folder / "stack.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_text())["owner_pid"] == os.getpid()


def test_the_environment_of_another_stack_does_not_leak_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CARBONLINE_LEDGER_DATABASE_URL", "postgresql://elsewhere/other")
    monkeypatch.setenv("CARBONLINE_METRICS_PORT", "9000")
    monkeypatch.setenv("CARBONLINE_GATEWAY_HOSTS", "carbon.example.org")
    settings = StackSettings(tmp_path, environment={"CARBONLINE_JOB_TYPES": "noop"})
    addresses = Addresses(
        "postgresql://here/own", "unix:s", "unix:l", None, "local", tmp_path, tmp_path, tmp_path
    )
    worker = product_programs(settings, addresses)[-1]
    environment = program_environment(settings, addresses, worker)
    assert environment["CARBONLINE_LEDGER_DATABASE_URL"] == "postgresql://here/own"
    assert environment["CARBONLINE_METRICS_PORT"] == "0"
    # The gateway asks for it by name where a proxy is before the console.
    assert environment["CARBONLINE_GATEWAY_HOSTS"] == "carbon.example.org"
    assert environment["CARBONLINE_JOB_TYPES"] == "noop"
