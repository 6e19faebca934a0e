"""A TOML file of settings, beside the environment.

Keys are the names of settings in small letters, without CARBONLINE_. Those at the top are for every
process that knows them, those of a table named after a process for that one, which comes first. A
variable of the environment comes before both.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from carbonline.serving.declared_settings import PREFIX, Setting
from carbonline.serving.settings import SettingsWrong
from carbonline.toml_text import NotToml, read_toml

CONFIG_FILE = Setting(
    "CONFIG_FILE",
    "a path",
    "A TOML file with settings. Its keys are their names in small letters, without CARBONLINE_. "
    "Those of the table of a process come before those at the top, and variables of the "
    "environment before both.",
)
PROCESSES = ("scheduler", "ledger", "worker", "gateway")
TRUE = "1"


@dataclass(frozen=True, slots=True)
class Configured:
    """The settings of a process by variable, from where each came, and what it does not know."""

    environment: Mapping[str, str]
    sources: Mapping[str, str]
    unread: Sequence[str]


def configured(
    environment: Mapping[str, str], process: str, settings: Sequence[Setting]
) -> Configured:
    """What `process` finds in the environment and in the file that the environment names.

    Raises SettingsWrong if the file cannot be read, or has something in the table of this process
    that is none of its settings.
    """
    known = {one.variable for one in settings}
    path = environment.get(CONFIG_FILE.variable, "").strip()
    of_file, unread = _read(Path(path), process, known) if path else ({}, [])
    given = {name: value for name, value in environment.items() if value.strip()}
    sources = dict.fromkeys(of_file, path) | {
        name: "environment" for name in given if name in known
    }
    unread += sorted(n for n in given if n.startswith(PREFIX) and n not in known)
    return Configured({**environment, **of_file, **given}, sources, unread)


def _read(path: Path, process: str, known: set[str]) -> tuple[dict[str, str], list[str]]:
    document = _document(path)
    tables = {name: value for name, value in document.items() if isinstance(value, dict)}
    faults = [
        f"{path}: [{name}] is none of the tables {', '.join(f'[{one}]' for one in PROCESSES)}"
        for name in sorted(tables.keys() - set(PROCESSES))
    ]
    for table in (document, tables.get(process, {})):
        faults += [
            f"{path}: {' and '.join(keys)} are one setting: keep one of them"
            for keys in _by_variable(table).values()
            if len(keys) > 1
        ]
    found: dict[str, str] = {}
    unread = []
    for key, value in document.items():
        if key in tables:
            continue
        if _variable(key) in known:
            found[_variable(key)] = _text(path, key, value, faults)
        else:
            unread.append(key)
    for key, value in tables.get(process, {}).items():
        if _variable(key) in known:
            found[_variable(key)] = _text(path, f"{process}.{key}", value, faults)
        else:
            faults.append(
                f"{path}: {process}.{key} is not a setting of this process{_meant(key, known)}"
            )
    if faults:
        raise SettingsWrong(faults)
    return found, unread


def _by_variable(table: Mapping[str, object]) -> Mapping[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for key in table:
        keys.setdefault(_variable(key), []).append(key)
    return keys


def _document(path: Path) -> dict[str, object]:
    try:
        return read_toml(path.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsWrong([f"{CONFIG_FILE.variable} {path}: {reason}"]) from None
    except NotToml as error:
        raise SettingsWrong([f"{path} is not TOML: {error}"]) from None


def _meant(key: str, known: set[str]) -> str:
    near = difflib.get_close_matches(_variable(key), sorted(known), n=1, cutoff=0.85)
    return f"; did you mean {near[0].removeprefix(PREFIX).lower()}?" if near else ""


def _variable(key: str) -> str:
    return PREFIX + key.upper()


def _text(path: Path, key: str, value: object, faults: list[str]) -> str:
    """The value as the environment has it: lists with commas, true as 1, false as nothing."""
    match value:
        case bool():
            return TRUE if value else ""
        case str() | int() | float():
            text = str(value)
        case list() if all(isinstance(one, str) for one in value):
            text = ",".join(value)
        case _:
            faults.append(f"{path}: {key} must be text, a number, true, false, or a list of texts")
            return ""
    if "\0" in text:
        faults.append(f"{path}: {key} has a character NUL: leave it out")
    return text
