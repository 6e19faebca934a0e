"""`python -m gateway_service`: serves HTTP to people, as a client of the services."""

import os
import sys
from collections.abc import Sequence

import uvloop

from carbonline.extras import lacks
from carbonline.serving.background import BackgroundTaskEnded
from carbonline.serving.config_file import configured
from carbonline.serving.declared_settings import print_help
from carbonline.serving.printed import print_sentence
from carbonline.serving.secret_files import exposed_files
from carbonline.serving.settings import SettingsWrong
from carbonline.serving.settings_check import check_settings
from gateway_service.settings import SETTINGS, read_settings

PROGRAM = "python -m gateway_service"
PROCESS = "gateway"
ABOUT = (
    "The gateway: serves the HTTP API and the console to people, and calls the scheduler and the "
    "ledger process with the rights of whoever asks. Serves until SIGTERM."
)
EXIT_FAILED = 1
EXIT_USAGE = 2


def main(arguments: Sequence[str]) -> int:
    """The process's exit code: 2 for settings or an address that cannot be used, 1 if it ends by
    itself.
    """
    if arguments:
        if list(arguments) == ["--check"]:
            report, code = check_settings(os.environ, PROCESS, SETTINGS, read_settings)
            print(report)
            return code
        if list(arguments) not in (["--help"], ["-h"]):
            print_sentence(f"usage: {PROGRAM} [--help | --check]")
            return EXIT_USAGE
        print_help(PROGRAM, ABOUT, SETTINGS)
        return 0
    if lacking := lacks("gateway", "The gateway"):
        print_sentence(f"gateway: {lacking}")
        return EXIT_USAGE
    try:
        found = configured(os.environ, PROCESS, SETTINGS)
        settings = read_settings(found.environment)
    except SettingsWrong as wrong:
        print_sentence(wrong.message_for("gateway", PROGRAM))
        return EXIT_USAGE
    # gRPC's own log lines are not JSON and repeat what the errors of calls say. gRPC reads this
    # variable when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from gateway_service.server import serve  # noqa: PLC0415

    try:
        uvloop.run(serve(settings, exposed_files(found, SETTINGS)))
    except OSError as error:
        print_sentence(f"gateway: {error}")
        return EXIT_USAGE
    except BackgroundTaskEnded as error:
        print_sentence(f"gateway: {error}")
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
