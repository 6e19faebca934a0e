"""The job types that a deployment adds to those of the product: a file that both services read.

Each process compares what it has read by a digest, so that no worker runs a job of a type that the
scheduler understands otherwise.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from carbonline.serving.declared_settings import Setting
from carbonline.serving.settings import SettingsReader, SettingsWrong
from carbonline.toml_text import NotToml, read_toml

JOB_TYPES_FILE = Setting(
    "JOB_TYPES_FILE",
    "a path",
    "A TOML file with the job types that this deployment adds; see docs/extending.md. The same for "
    "all schedulers and workers: a worker with another one is refused.",
)
# With those of the product, what one Claim may name.
TYPES_MAX = 16
KEYS_MAX = 32
ATTEMPTS_MAX = 100
TEXT_CHARACTERS_MAX = 255
SCOPE_PARTS = ("module", "data_entry_type", "year", "unit")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_FLAGS = ("needs_provisioned_year", "may_be_scheduled")
_LISTS = ("needs", "takes", "one_at_a_time", "children")
_FIELDS = ("name", "attempts_max", *_FLAGS, *_LISTS, "payload", "stats")


@dataclass(frozen=True, slots=True)
class DeclaredKey:
    """A key of the payload, a text. `values` are the only ones that it may have; none means any."""

    name: str
    meaning: str
    required: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredJobType:
    """A job type of a deployment.

    `needs` and `takes` are parts of the scope. Jobs with the same parts of `one_at_a_time` run one
    at a time; None if none waits for another. `children` are the types that its jobs may chain.
    """

    name: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    attempts_max: int = 5
    one_at_a_time: tuple[str, ...] | None = None
    children: tuple[str, ...] = ()
    needs_provisioned_year: bool = False
    may_be_scheduled: bool = False
    payload: tuple[DeclaredKey, ...] = ()
    stats: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredJobTypes:
    """All job types of a deployment, in the order of the file."""

    types: tuple[DeclaredJobType, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(one.name for one in self.types)

    @property
    def digest(self) -> str:
        """The same for two files that say the same, whatever their comments and spaces."""
        said = json.dumps([asdict(one) for one in self.types], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


NONE_DECLARED = DeclaredJobTypes()


def read_declared_job_types(path: Path | None, known: Collection[str] | None) -> DeclaredJobTypes:
    """What the file declares; nothing without a file. `known` are the product's own types; without
    them, names are left to the scheduler to check.

    Raises SettingsWrong with every fault in one message.
    """
    if path is None:
        return NONE_DECLARED
    try:
        document = read_toml(path.read_bytes())
    except OSError as error:
        raise SettingsWrong([f"{JOB_TYPES_FILE.variable}: {error}"]) from error
    except NotToml as error:
        raise SettingsWrong([f"{path} is not TOML: {error}"]) from error
    reader = _Reader(str(path), None if known is None else list(known))
    types = reader.types(document)
    if reader.faults:
        raise SettingsWrong(reader.faults)
    return DeclaredJobTypes(tuple(types))


def declared_job_types(
    read: SettingsReader, known: Collection[str] | None = None
) -> DeclaredJobTypes:
    """What the file of the settings declares, as `read_declared_job_types`. Notes its faults."""
    try:
        return read_declared_job_types(read.path(JOB_TYPES_FILE), known)
    except SettingsWrong as wrong:
        read.faults += wrong.faults
        return NONE_DECLARED


class _Reader:
    def __init__(self, path: str, known: list[str] | None) -> None:
        self._path = path
        self._known = known
        # A type may chain only what stands before it: so chains end.
        self._before: list[str] = []
        self.faults: list[str] = []

    def types(self, document: Mapping[str, Any]) -> Sequence[DeclaredJobType]:
        rows = document.get("job_type", [])
        are_tables = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        if set(document) - {"job_type"} or not are_tables or not rows:
            self._fail("has tables [[job_type]], one or more, and nothing else")
            return []
        if len(rows) > TYPES_MAX:
            self._fail(f"has more than {TYPES_MAX} job types")
        return [self._type(number, row) for number, row in enumerate(rows[:TYPES_MAX], start=1)]

    def _fail(self, what: str) -> None:
        self.faults.append(f"{self._path} {what}")

    def _type(self, number: int, row: Mapping[str, Any]) -> DeclaredJobType:
        name = row.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self._fail(f"job_type {number}: name must be a-z, 0-9 and _, at most 48 characters")
            return DeclaredJobType("")
        if name in (*self._before, *(self._known or ())):
            self._fail(f"job_type {name} is there already: choose another name")
        for unknown in sorted(row.keys() - set(_FIELDS)):
            self._fail(f"job_type {name}: {unknown} is unknown; there are {', '.join(_FIELDS)}")
        lists = {part: self._texts(name, part, row.get(part, [])) for part in _LISTS}
        self._check_parts(name, lists, "one_at_a_time" in row)
        for child in lists["children"]:
            if self._known is not None and child not in (*self._before, *self._known):
                self._fail(
                    f"job_type {name}: children has {child!r}, which is neither a type of the"
                    " product nor one that stands before it"
                )
        self._before.append(name)
        return DeclaredJobType(
            name,
            needs=lists["needs"],
            takes=lists["takes"],
            attempts_max=self._attempts(name, row.get("attempts_max", 5)),
            one_at_a_time=lists["one_at_a_time"] if "one_at_a_time" in row else None,
            children=lists["children"],
            needs_provisioned_year=self._flag(name, "needs_provisioned_year", row),
            may_be_scheduled=self._flag(name, "may_be_scheduled", row),
            payload=tuple(self._keys(name, row.get("payload", []))),
            stats=self._stats(name, row.get("stats", {})),
        )

    def _check_parts(self, name: str, lists: Mapping[str, Sequence[str]], has_key: bool) -> None:
        parts = [*lists["needs"], *lists["takes"]]
        for part in sorted({*parts, *lists["one_at_a_time"]} - set(SCOPE_PARTS)):
            self._fail(
                f"job_type {name}: {part!r} is not a part of a scope: {', '.join(SCOPE_PARTS)}"
            )
        if len(parts) != len(set(parts)):
            self._fail(f"job_type {name}: needs and takes name a part twice")
        if has_key and not set(lists["one_at_a_time"]) <= set(lists["needs"]):
            self._fail(f"job_type {name}: one_at_a_time may name only what it needs")
        if "data_entry_type" in parts and "module" not in parts:
            self._fail(f"job_type {name}: a data_entry_type goes with its module")

    def _texts(self, name: str, part: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(text, str) for text in value):
            return tuple(value)
        self._fail(f"job_type {name}: {part} must be a list of names")
        return ()

    def _attempts(self, name: str, value: Any) -> int:
        if type(value) is int and 1 <= value <= ATTEMPTS_MAX:
            return value
        self._fail(f"job_type {name}: attempts_max must be a whole number from 1 to {ATTEMPTS_MAX}")
        return 1

    def _flag(self, name: str, part: str, row: Mapping[str, Any]) -> bool:
        value = row.get(part, False)
        if isinstance(value, bool):
            needs_year = part == "needs_provisioned_year" and value
            needs = row.get("needs", [])
            if needs_year and isinstance(needs, list) and "year" not in needs:
                self._fail(f"job_type {name}: {part} is for a type that needs a year")
            return value
        self._fail(f"job_type {name}: {part} must be true or false")
        return False

    def _keys(self, name: str, value: Any) -> Sequence[DeclaredKey]:
        fits = isinstance(value, list) and len(value) <= KEYS_MAX
        if not fits or not all(isinstance(one, dict) for one in value):
            self._fail(f"job_type {name}: payload has tables, at most {KEYS_MAX}")
            return []
        return [self._key(name, one) for one in value]

    def _key(self, name: str, row: Mapping[str, Any]) -> DeclaredKey:
        key, meaning = row.get("name"), row.get("meaning")
        required, values = row.get("required", False), row.get("values", [])
        if (
            not isinstance(key, str)
            or not _NAME.fullmatch(key)
            or not _is_text(meaning)
            or not isinstance(required, bool)
            or row.keys() - {"name", "meaning", "required", "values"}
        ):
            self._fail(
                f"job_type {name}: a key of the payload has a name, a meaning, and may have"
                " required and values"
            )
            return DeclaredKey("", "")
        texts = self._texts(name, f"values of {key}", values)
        return DeclaredKey(key, str(meaning), required, texts)

    def _stats(self, name: str, value: Any) -> Mapping[str, str]:
        if (
            isinstance(value, dict)
            and len(value) <= KEYS_MAX
            and all(_NAME.fullmatch(stat) and _is_text(said) for stat, said in value.items())
        ):
            return dict(value)
        self._fail(f"job_type {name}: stats are names with what each means, at most {KEYS_MAX}")
        return {}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= TEXT_CHARACTERS_MAX
