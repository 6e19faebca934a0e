"""--check of a process: whether its settings can be used, and where each came from, as JSON."""

import json
from collections.abc import Callable, Mapping, Sequence

from carbonline.postgres.url import shown_url
from carbonline.serving.config_file import configured
from carbonline.serving.declared_settings import Setting
from carbonline.serving.secret_files import exposed_files, is_secret
from carbonline.serving.settings import SettingsWrong

NOT_SHOWN = "(not shown)"
EXIT_USAGE = 2


def check_settings(
    environment: Mapping[str, str],
    process: str,
    settings: Sequence[Setting],
    read: Callable[[Mapping[str, str]], object],
) -> tuple[str, int]:
    """The report, and the exit code: 2 if something is missing or wrong.

    It has `process`, `faults`, `settings` that are set (variable, value, source), and as `unread`
    the variables of ours and the keys at the top of the file that this process does not read; null
    if the file cannot be used, so that nobody knows. `exposed` says which files with secrets others
    of the machine may read, which is not a fault.
    """
    faults: Sequence[str] = ()
    shown: list[dict[str, str]] = []
    unread: Sequence[str] | None = None
    exposed: Sequence[str] = ()
    try:
        found = configured(environment, process, settings)
        unread = found.unread
        shown = [
            {
                "variable": name,
                "value": NOT_SHOWN if is_secret(name) else shown_url(found.environment[name]),
                "source": source,
            }
            for name, source in sorted(found.sources.items())
        ]
        exposed = [one.sentence for one in exposed_files(found, settings)]
        read(found.environment)
    except SettingsWrong as wrong:
        faults = wrong.faults
    report = {
        "process": process,
        "faults": faults,
        "settings": shown,
        "unread": unread,
        "exposed": exposed,
    }
    return json.dumps(report, indent=1), EXIT_USAGE if faults else 0
