"""What a setting is: declared once, for reading it, for --help and for docs/settings.md."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from carbonline.serving.call_limits import CALL_LIMITS

PREFIX = "CARBONLINE_"
HELP_COLUMNS = 80
# A day: a longer lease, pause or grace helps nobody.
SECONDS_MAX = 86_400
# A hundred years.
DAYS_MAX = 36_525
PORT_MAX = 65_535
# Beyond it a limit bounds nothing.
CALLS_MOST = 1_000_000
# Two messages of the largest size: what waits to be received must not wait for all others to end.
CALLS_MEBIBYTES_LEAST = 32
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of the environment: CARBONLINE_ and `name`.

    `form` says which values are allowed, `unit` what a number counts, `default` what holds when it
    is not set. `example` shows a required one; empty, the setting is optional. `holds_secret`: it
    names a file that only its owner, and perhaps a group, should read.
    """

    name: str
    form: str
    does: str
    default: str = ""
    unit: str = ""
    example: str = ""
    holds_secret: bool = False

    @property
    def variable(self) -> str:
        """With the prefix."""
        return PREFIX + self.name

    @property
    def in_its_place(self) -> str:
        """What holds where it is not set: "required", the default, or "optional"."""
        if self.example:
            return "required"
        return f"default {self.default}" if self.default else "optional"


def seconds(name: str, default: str, does: str, *, or_none: bool = False) -> Setting:
    """A setting in seconds, more than 0, or 0 where `or_none`."""
    form = f"a number {'from' if or_none else 'greater than'} 0 up to {SECONDS_MAX}"
    return Setting(name, form, does, default, unit="seconds")


def file_of(secret: Setting) -> Setting:
    """The setting that names a file with a secret, for those who keep secrets in files."""
    does = f"A file with {secret.name} on its first line, in place of the variable."
    return Setting(f"{secret.name}_FILE", "a path", does, holds_secret=True)


def days(name: str, default: str, does: str) -> Setting:
    """A setting in days, at least one."""
    return Setting(name, f"a number from 1 up to {DAYS_MAX:,}", does, default, unit="days")


TOKEN_FILE = Setting(
    "TOKEN_FILE",
    "a path",
    "A file of mode 0600 with a random token on one line. Every call to a TCP port must carry the "
    "token; calls to a unix socket need none.",
    holds_secret=True,
)
TENANT = Setting("TENANT", "a name", "The institution that callers act for.", default="local")
LOG_LEVEL = Setting(
    "LOG_LEVEL",
    "debug, info, warning or error",
    "The lowest level that is logged.",
    default="info",
)
BUILD_ID = Setting(
    "BUILD_ID",
    "text",
    "The build that `carbonline workers` and log lines show; by default the installed version.",
)
METRICS_PORT = Setting(
    "METRICS_PORT",
    f"a port up to {PORT_MAX}, or 0 for none",
    "The port for Prometheus metrics, and for the probes /livez and /readyz. 0 serves none.",
    default="0",
)
METRICS_HOST = Setting(
    "METRICS_HOST",
    "an IP address of this machine",
    "The address of that port: 0.0.0.0 for all of this machine's, so that others can reach it. It "
    "asks for no credentials and tells of no tenant: let only probes and Prometheus reach it.",
    default="127.0.0.1",
)
LEASE_SECONDS = seconds(
    "LEASE_SECONDS",
    "45",
    "A lease expires after this long without a heartbeat, and another worker gets the job. Use the "
    "same value for the scheduler and all workers.",
)
BEAT_SECONDS = seconds(
    "BEAT_SECONDS",
    "10",
    "The time between two heartbeats of a worker; at most a quarter of LEASE_SECONDS.",
)
RETENTION_DAYS = 90.0
RETENTION = days(
    "RETENTION_DAYS",
    f"{RETENTION_DAYS:g}",
    "How long the scheduler keeps a pipeline after its end, with its jobs and timeline. A slot's "
    "current job and its last success stay, and so does what a kept pipeline needs. Workers delete "
    "a file this long after its last upload, unless a job or what counts names it, and "
    "forget what counted once. Use the same "
    "value for the scheduler and all workers.",
)
CONNECTION_SECONDS_MAX = seconds(
    "CONNECTION_SECONDS_MAX",
    "1800",
    "The age, with jitter, at which a connection is closed. Calls in flight go on, and clients "
    "connect again by themselves, so that servers that were added get their share. 0 closes none.",
    or_none=True,
)
# What strangers can take of a server grows with it, over TLS more than without.
CLIENT_CONNECTIONS = 500
CLIENT_CONNECTIONS_MOST = 10_000
CLIENT_CONNECTIONS_MAX = Setting(
    "CLIENT_CONNECTIONS_MAX",
    f"a whole number from 1 up to {CLIENT_CONNECTIONS_MOST:,}",
    "How many connections of clients this server takes, and no more than half of the files that "
    "its process may open. The next one is closed, and its client tries again. A worker, a gateway "
    "and a running command hold one each. Before more than the default, keep strangers away.",
    default=f"{CLIENT_CONNECTIONS}",
    unit="clients",
)
CALLS_MAX = Setting(
    "CALLS_MAX",
    f"a whole number from 1 up to {CALLS_MOST:,}",
    "How many calls of one caller this server works on at once, besides streams and Claims, which "
    "have limits of their own; twice as many of all callers. The next one is refused with "
    "TOO_MANY_CALLS. Calls of running jobs count for themselves, and so do calls for health.",
    default=f"{CALL_LIMITS.calls}",
    unit="calls",
)
CALLS_MEBIBYTES_MAX = Setting(
    "CALLS_MEBIBYTES_MAX",
    f"a whole number from {CALLS_MEBIBYTES_LEAST} up to {CALLS_MOST:,}",
    "How much memory the requests and answers of these calls may take, for one caller; twice as "
    "much for all. Beyond it, requests wait before they are received.",
    default=f"{CALL_LIMITS.mebibytes}",
    unit="MiB",
)

RECEIVE_SECONDS = seconds(
    "RECEIVE_SECONDS",
    f"{CALL_LIMITS.receive_seconds:g}",
    "A request must have come whole after this long, or it is answered with SENDER_TOO_SLOW: until "
    "then it holds the memory of the largest message. The chunks of an upload have limits of their "
    "own.",
)


def print_help(usage: str, about: str, settings: Sequence[Setting]) -> None:
    """Print the answer to --help: how to start the process, and every setting that it reads."""
    try:
        print(_help(usage, about, settings), flush=True)
    except BrokenPipeError:
        # The reader has gone, as with `| head`. Python would print a traceback of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _help(usage: str, about: str, settings: Sequence[Setting]) -> str:
    columns = min(HELP_COLUMNS, shutil.get_terminal_size().columns)
    parts = [f"usage: {usage}", _filled(about, columns)]
    parts.append("Settings are environment variables:")
    parts += [_entry(one, columns) for one in settings]
    parts.append(_filled("For more, see docs/settings.md and docs/operating.md.", columns))
    return "\n\n".join(parts)


def _entry(setting: Setting, columns: int) -> str:
    example = f" For example {setting.example}." if setting.example else ""
    unit = f", {setting.unit}" if setting.unit else ""
    name = _filled(f"{setting.variable}  ({setting.in_its_place}{unit})", columns, below=" " * 8)
    text = f"{setting.does}{example} Value: {setting.form}."
    return f"{name}\n{_filled(' ' * 4 + text, columns, below=' ' * 4)}"


def _filled(text: str, columns: int, below: str = "") -> str:
    return textwrap.fill(
        text, columns, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
    )
