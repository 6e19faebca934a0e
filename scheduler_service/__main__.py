"""`python -m scheduler_service`: serves SchedulerService and OperationsService."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence

import uvloop

from carbonline.extras import lacks
from carbonline.serving.arenas import share_one_arena
from carbonline.serving.config_file import configured
from carbonline.serving.declared_settings import print_help
from carbonline.serving.printed import print_sentence
from carbonline.serving.secret_files import exposed_files
from carbonline.serving.settings import SettingsWrong
from carbonline.serving.settings_check import check_settings
from scheduler_service.settings import SETTINGS, Settings, read_settings

PROGRAM = "python -m scheduler_service"
PROCESS = "scheduler"
ABOUT = (
    "The scheduler: takes pipelines, gives their jobs to workers and tells how they go. Serves "
    "until SIGTERM."
)
EXIT_FAILED = 1
EXIT_USAGE = 2
# Thousands of live requests are ordinary here, and hardly any of them ends in a cycle: looking for
# some after every 700 new objects took a fifth of the process's time.
GARBAGE_THRESHOLDS = (50_000, 20, 50)


def main(arguments: Sequence[str]) -> int:
    """The process's exit code: 2 for settings or a database that are not ready for it, 1 when a
    background task ends.
    """
    if arguments:
        if list(arguments) == ["--check"]:
            report, code = check_settings(os.environ, PROCESS, SETTINGS, _startable)
            print(report)
            return code
        if list(arguments) not in (["--help"], ["-h"]):
            print_sentence(f"usage: {PROGRAM} [--help | --check]")
            return EXIT_USAGE
        print_help(PROGRAM, ABOUT, SETTINGS)
        return 0
    if lacking := lacks("server", "The scheduler"):
        print_sentence(f"scheduler: {lacking}")
        return EXIT_USAGE
    try:
        found = configured(os.environ, PROCESS, SETTINGS)
        settings = read_settings(found.environment)
    except SettingsWrong as wrong:
        print_sentence(wrong.message_for("scheduler", PROGRAM))
        return EXIT_USAGE
    share_one_arena()
    # gRPC's own log lines are not JSON and repeat what the errors of calls say. gRPC reads this
    # variable when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from carbonline.postgres.errors import DatabaseRefused  # noqa: PLC0415
    from carbonline.serving.background import BackgroundTaskEnded  # noqa: PLC0415
    from scheduler_service.declared_job_types import declare_job_types  # noqa: PLC0415
    from scheduler_service.server import NotMigrated, serve  # noqa: PLC0415

    declare_job_types(settings.declared)

    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        uvloop.run(serve(settings, exposed_files(found, SETTINGS)))
    except (SettingsWrong, DatabaseRefused, NotMigrated, OSError) as error:
        print_sentence(f"scheduler: {error}")
        return EXIT_USAGE
    except BackgroundTaskEnded as error:
        print_sentence(f"scheduler: {error}")
        return EXIT_FAILED
    return 0


def _startable(environment: Mapping[str, str]) -> Settings:
    """The settings. Raises SettingsWrong also for an address that only the start would refuse."""
    settings = read_settings(environment)
    if fault := settings.fault_of_address:
        raise SettingsWrong([fault])
    return settings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
