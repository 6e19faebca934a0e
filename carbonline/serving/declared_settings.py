"""What a setting is: declared once, for reading it, for --help and for docs/settings.md."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

PREFIX = "CARBONLINE_"
HELP_COLUMNS = 80
# A day: no lease, pause or grace that helps anybody is longer.
SECONDS_MAX = 86_400
PORT_MAX = 65_535
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of the environment: CARBONLINE_ and `name`.

    `form` is what may stand there, `unit` what a number counts, `default` what is taken where
    nothing stands. `example` is what a needed one looks like; empty, the setting may be left out.
    """

    name: str
    form: str
    does: str
    default: str = ""
    unit: str = ""
    example: str = ""

    @property
    def variable(self) -> str:
        """With the prefix."""
        return PREFIX + self.name

    @property
    def in_its_place(self) -> str:
        """What is taken where it is not set: "needed", the default, or "optional"."""
        if self.example:
            return "needed"
        return f"default {self.default}" if self.default else "optional"


def seconds(name: str, default: str, does: str, *, or_none: bool = False) -> Setting:
    """A setting in seconds, more than 0, or 0 where `or_none`."""
    form = f"a number of {'0 or more' if or_none else 'more than 0'}, up to {SECONDS_MAX}"
    return Setting(name, form, does, default, unit="seconds")


TOKEN_FILE = Setting(
    "TOKEN_FILE",
    "a path",
    "A file of mode 0600 with a random token on one line. Every call to a TCP port must carry it; "
    "a unix socket needs none.",
)
TENANT = Setting("TENANT", "a name", "The institution that callers act for.", default="local")
LOG_LEVEL = Setting(
    "LOG_LEVEL",
    "debug, info, warning or error",
    "The least that is written to the log.",
    default="info",
)
BUILD_ID = Setting(
    "BUILD_ID",
    "a text",
    "The build that `carbonline workers` shows, and log lines. Otherwise the installed version.",
)
METRICS_PORT = Setting(
    "METRICS_PORT",
    f"a port, a whole number up to {PORT_MAX}, or 0 for none",
    "Where Prometheus' metrics are served, on this machine only. 0 serves none.",
    default="0",
)
LEASE_SECONDS = seconds(
    "LEASE_SECONDS",
    "45",
    "After this long without a sign of life a job is given to another worker. The same for the "
    "scheduler and all workers.",
)
BEAT_SECONDS = seconds(
    "BEAT_SECONDS",
    "10",
    "From one sign of life of a worker to the next; at most a quarter of LEASE_SECONDS.",
)


def help_of(usage: str, about: str, settings: Sequence[Setting]) -> str:
    """What a process says to --help: how it is called, and every setting that it reads."""
    parts = [f"usage: {usage}", textwrap.fill(about, HELP_COLUMNS)]
    parts.append("Settings are variables of the environment:")
    parts += [_entry(one) for one in settings]
    parts.append("More is in docs/settings.md and docs/operating.md.")
    return "\n\n".join(parts)


def _entry(setting: Setting) -> str:
    example = f" Such as {setting.example}." if setting.example else ""
    unit = f", {setting.unit}" if setting.unit else ""
    indented = textwrap.fill(
        f"{setting.does}{example} Takes {setting.form}.",
        HELP_COLUMNS,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{setting.variable}  ({setting.in_its_place}{unit})\n{indented}"
