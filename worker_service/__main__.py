"""`python -m worker_service` runs jobs; `python -m worker_service ledger` serves the ledger."""

import asyncio
import gc
import os
import sys
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import uvloop

from carbonline.exposed_file import ExposedFile
from carbonline.extras import lacks
from carbonline.serving.arenas import share_one_arena
from carbonline.serving.config_file import configured
from carbonline.serving.declared_settings import print_help
from carbonline.serving.printed import print_sentence
from carbonline.serving.secret_files import exposed_files
from carbonline.serving.settings import SettingsWrong
from carbonline.serving.settings_check import check_settings
from worker_service.footprint import limit_footprint
from worker_service.settings import SETTINGS, Role, Settings, read_settings

PROGRAMS: Mapping[Role, str] = MappingProxyType(
    {"worker": "python -m worker_service", "ledger": "python -m worker_service ledger"}
)
ABOUT: Mapping[Role, str] = MappingProxyType(
    {
        "worker": "A worker: claims jobs of the scheduler and runs them until SIGTERM. Any number "
        "of workers may run. The ledger process: `python -m worker_service ledger --help`.",
        "ledger": "The ledger process: stores uploaded files, and serves totals, the catalogue and "
        "files until SIGTERM.",
    }
)
USAGE = "usage: python -m worker_service [ledger] [--help | --check]"
EXIT_WRONG_SETTINGS = 2
THREADS_END_SECONDS = 1.0
# Thousands of runs may be in progress, and hardly any leaves a reference cycle: collecting after
# every 700 new objects took a fifth of the time of a busy worker.
GARBAGE_THRESHOLDS = (50_000, 20, 50)


def main(arguments: list[str]) -> int:
    """Runs the process. Returns its exit code. Wrong settings are one line on stderr."""
    role: Role = "ledger" if arguments[:1] == ["ledger"] else "worker"
    options = arguments[1:] if role == "ledger" else arguments
    if options in (["--help"], ["-h"]):
        print_help(PROGRAMS[role], ABOUT[role], SETTINGS[role])
        return 0
    if options == ["--check"]:
        report, code = check_settings(
            os.environ, role, SETTINGS[role], partial(_startable, role=role)
        )
        print(report)
        return code
    if options:
        print_sentence(USAGE)
        return EXIT_WRONG_SETTINGS
    if lacking := lacks("server", "The ledger process" if role == "ledger" else "A worker"):
        print_sentence(f"{role}: {lacking}")
        return EXIT_WRONG_SETTINGS
    try:
        found = configured(os.environ, role, SETTINGS[role])
        settings = read_settings(found.environment, role)
    except SettingsWrong as wrong:
        print_sentence(wrong.message_for(role, PROGRAMS[role]))
        return EXIT_WRONG_SETTINGS
    exposed = exposed_files(found, SETTINGS[role])
    share_one_arena()
    # What gRPC logs itself is not JSON, and says nothing that the errors of calls do not say.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code, idle = runner.run(_to_its_end(_served(role, settings, exposed)))
        if not idle:
            # A thread in the middle of a computation would delay the end, and nobody waits for it.
            os._exit(code)
    return code


def _startable(environment: Mapping[str, str], role: Role) -> Settings:
    """The settings. Raises SettingsWrong also for what only the start would refuse."""
    settings = read_settings(environment, role)
    if role == "ledger" and (fault := settings.fault_of_address):
        raise SettingsWrong([fault])
    if role == "worker" and settings.job_types:
        from worker_service.worker import (  # noqa: PLC0415  loads all steps
            extensions_of,
            fault_of_job_types,
        )

        if fault := fault_of_job_types(settings, extensions_of(settings)):
            raise SettingsWrong([fault])
    return settings


async def _to_its_end(serving: Coroutine[Any, Any, int]) -> tuple[int, bool]:
    """Returns the exit code, and whether all threads ended within THREADS_END_SECONDS."""
    code = await serving
    ending = asyncio.create_task(asyncio.get_running_loop().shutdown_default_executor())
    done, _ = await asyncio.wait({ending}, timeout=THREADS_END_SECONDS)
    return code, bool(done)


def _served(
    role: Role, settings: Settings, exposed: Sequence[ExposedFile]
) -> Coroutine[Any, Any, int]:
    # Each role imports only what it needs: the ledger process does not load Polars.
    if role == "ledger":
        from worker_service.ledger_api.server import serve_ledger  # noqa: PLC0415

        return serve_ledger(settings, exposed)
    limit_footprint()
    from worker_service.worker import serve_worker  # noqa: PLC0415

    return serve_worker(settings, exposed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
