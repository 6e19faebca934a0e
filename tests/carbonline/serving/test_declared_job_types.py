"""The file of job types: what it may say, and when two files say the same."""

import json
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Any

import pytest

from carbonline.serving.declared_job_types import NONE_DECLARED, read_declared_job_types
from carbonline.serving.settings import SettingsWrong
from scheduler_service.declared_job_types import hidden_from_locks
from scheduler_service.jobs.job_types import OWN_JOB_TYPES

KNOWN = ("csv_ingest", "api_ingest")
GOOD = """
[[job_type]]
name = "sweep_up"
needs = ["year"]
one_at_a_time = ["year"]
children = ["api_ingest"]
needs_provisioned_year = true
[[job_type.payload]]
name = "depot"
meaning = "the depot"
[job_type.stats]
books = "how many"
"""


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "types.toml"
    path.write_text(text)
    return read_declared_job_types(path, KNOWN)


def test_without_a_file_nothing_is_declared() -> None:
    assert read_declared_job_types(None, KNOWN) == NONE_DECLARED
    assert len(NONE_DECLARED.digest) == 64


def test_a_digest_tells_what_is_said_and_not_how(tmp_path: Path) -> None:
    path = tmp_path / "types.toml"
    digests = []
    for text in (GOOD, f"# A comment\n{GOOD}\n\n", GOOD.replace('"the depot"', '"a depot"')):
        path.write_text(text)
        digests.append(read_declared_job_types(path, KNOWN).digest)
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"sweep_up"', '"csv_ingest"', "csv_ingest is there already"),
        ('"sweep_up"', '"Sweep Up"', "name must be a-z"),
        ('needs = ["year"]', 'needs = ["month"]', "'month' is not a part of a scope"),
        ('needs = ["year"]', 'needs = ["year", "data_entry_type"]', "goes with its module"),
        ('needs = ["year"]', 'takes = ["year"]', "one_at_a_time may name only what it needs"),
        ('needs = ["year"]', 'needs = "year"', "needs must be a list of names"),
        ('["api_ingest"]', '["sweep_up"]', "nor one that stands before it"),
        ("= true", '= "yes"', "needs_provisioned_year must be true or false"),
        ('meaning = "the depot"', "", "a key of the payload has a name, a meaning"),
        ('books = "how many"', "books = 3", "stats are names with what each means"),
        ("[[job_type]]", "[job_type]", "has tables [[job_type]]"),
        ('name = "sweep_up"', 'name = "sweep_up"\nattempts_max = 0', "attempts_max must be"),
        ('name = "sweep_up"', 'name = "sweep_up"\nretries = 2', "retries is unknown"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(SettingsWrong) as wrong:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert said in str(wrong.value)


ODD: tuple[Any, ...] = (
    [],
    {},
    "",
    "year",
    3,
    -1,
    10**30,
    True,
    1.5,
    ["year"],
    [["year"]],
    ["a", 1],
    [{}],
)


def as_toml(value: Any) -> str:
    match value:
        case dict():
            return f"{{{', '.join(f'{name} = {as_toml(one)}' for name, one in value.items())}}}"
        case list():
            return f"[{', '.join(map(as_toml, value))}]"
        case _:
            return json.dumps(value)


def with_each_odd_value(value: Any) -> Iterator[Any]:
    """The document with each of its values replaced by each odd one."""
    yield from ODD
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        for odd in with_each_odd_value(value[key]):
            changed = copy(value)
            changed[key] = odd
            yield changed


def test_values_of_any_kind_end_in_a_sentence_or_are_taken(tmp_path: Path) -> None:
    texts = [
        "\n".join(f"{name} = {as_toml(one)}" for name, one in document.items())
        for document in with_each_odd_value(tomllib.loads(GOOD))
        if isinstance(document, dict)
    ]
    for text in texts:
        with suppress(SettingsWrong):
            read(tmp_path, text)
    assert len(texts) > 150


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="No such file"):
        read_declared_job_types(tmp_path / "none", KNOWN)
    with pytest.raises(SettingsWrong, match="is not TOML"):
        read(tmp_path, "job_type = [")


HIDDEN = """
[[job_type]]
name = "sweep_up"
needs = ["year", "unit"]
needs_provisioned_year = true
one_at_a_time = ["year"]
children = ["CHILD"]
"""
LATER = """
[[job_type]]
name = "later"
children = ["sweep_up"]
"""
CHANGE_A_YEAR = [
    "aggregation",
    "api_ingest",
    "csv_ingest",
    "emission_recalc",
    "factor_ingest",
    "module_emission_recalc",
    "reference_ingest",
    "routed_factor_ingest",
    "routed_ingest",
    "unit_sync",
    "upload_withdrawal",
]


def hidden(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "types.toml"
    path.write_text(text)
    return hidden_from_locks(read_declared_job_types(path, OWN_JOB_TYPES))


@pytest.mark.parametrize("child", sorted(OWN_JOB_TYPES))
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('one_at_a_time = ["year"]\n', "", "set one_at_a_time"),
        ('one_at_a_time = ["year"]', 'one_at_a_time = ["unit"]', "leave unit out"),
        ("needs_provisioned_year = true", "", "needs_provisioned_year = true"),
    ],
)
def test_a_type_that_chains_what_changes_a_year_is_found_by_a_lock_of_the_year(
    tmp_path: Path, child: str, old: str, new: str, said: str
) -> None:
    text = HIDDEN.replace("CHILD", child)
    assert hidden(tmp_path, text) == []
    faults = hidden(tmp_path, text.replace(old, new, 1))
    if child not in CHANGE_A_YEAR:
        assert faults == []
        return
    (fault,) = faults
    assert fault.startswith(f"job_type sweep_up: it chains {child}, which changes a year")
    assert said in fault


def test_a_type_that_chains_such_a_type_is_found_too(tmp_path: Path) -> None:
    (fault,) = hidden(tmp_path, HIDDEN.replace("CHILD", "csv_ingest") + LATER)
    assert fault.startswith("job_type later: it chains sweep_up, which changes a year")
    assert hidden(tmp_path, HIDDEN.replace("CHILD", "csv_check") + LATER) == []
