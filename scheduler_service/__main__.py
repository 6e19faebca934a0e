"""`python -m scheduler_service`: serves SchedulerService and OperationsService."""

import gc
import os
import sys

import uvloop

from carbonline.extras import lacks
from carbonline.serving.settings import SettingsWrong
from scheduler_service.settings import read_settings

EXIT_USAGE = 2
# Thousands of live requests are ordinary here, and hardly any of them ends in a cycle: looking for
# some after every 700 new objects took a fifth of the process's time.
GARBAGE_THRESHOLDS = (50_000, 20, 50)


def main() -> int:
    """The process's exit code: 2 for settings or a database that are not ready for it."""
    if lacking := lacks("server", "The scheduler"):
        print(f"scheduler: {lacking}", file=sys.stderr)
        return EXIT_USAGE
    # gRPC's own chatter is no JSON, and tells nothing that the calls' errors do not tell. It reads
    # this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from scheduler_service.server import DatabaseUnusable, NotMigrated, serve  # noqa: PLC0415

    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        uvloop.run(serve(read_settings()))
    except (SettingsWrong, DatabaseUnusable, NotMigrated, OSError) as error:
        print(f"scheduler: {error}", file=sys.stderr)
        return EXIT_USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main())
