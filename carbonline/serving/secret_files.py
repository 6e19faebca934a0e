"""Which of the files that hold a process's secrets others of the machine may read."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from carbonline.exposed_file import ExposedFile, exposed_file
from carbonline.postgres.url import holds_password
from carbonline.serving.config_file import CONFIG_FILE, Configured
from carbonline.serving.declared_settings import Setting
from carbonline.serving.settings import SettingsReader

URL_OF_DATABASE = "DATABASE_URL"
SECRET_PARTS = ("SECRET", "PASSWORD", URL_OF_DATABASE)
# What a URL of a database names: a client's key, and a list of passwords.
FILES_OF_URL = ("sslkey", "passfile")


def is_secret(variable: str) -> bool:
    """Whether its value is one. Paths of secrets are none."""
    return not variable.endswith("_FILE") and any(part in variable for part in SECRET_PARTS)


def exposed_files(found: Configured, settings: Sequence[Setting]) -> Sequence[ExposedFile]:
    """Those of a process that has these settings, and found what it found."""
    named = dict.fromkeys(_named(found, settings))
    exposed = [exposed_file(variable, Path(path)) for variable, path in named if path]
    return [one for one in exposed if one is not None]


def _named(found: Configured, settings: Sequence[Setting]) -> Iterator[tuple[str, str]]:
    """Variable and path of each file with a secret."""
    read = SettingsReader(found.environment)
    for setting in settings:
        if setting.holds_secret:
            yield setting.variable, read.text(setting)
        if setting.name.endswith(URL_OF_DATABASE):
            for path in _files_of(read.secret(setting)):
                yield setting.variable, path
    path = read.text(CONFIG_FILE)
    of_file = [name for name, source in found.sources.items() if source == path]
    if any(_holds_a_secret(name, found.environment[name]) for name in of_file):
        yield CONFIG_FILE.variable, path


def _files_of(database_url: str) -> Iterator[str]:
    try:
        parameters = parse_qs(urlsplit(database_url).query)
    except ValueError:
        # The check of its shape says so.
        return
    for name in FILES_OF_URL:
        yield from parameters.get(name, [])


def _holds_a_secret(variable: str, value: str) -> bool:
    if variable.endswith(URL_OF_DATABASE):
        return holds_password(value)
    return is_secret(variable)
