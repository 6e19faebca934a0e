"""The console's files, without a browser: vendored unmodified, words complete, modules small."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from carbonline.serving.auth.roles import roles_allowed
from carbonline.v1 import (
    ledger_pb2,
    monitoring_pb2,
    operations_pb2,
    options_pb2,
    scheduler_pb2,
    types_pb2,
)
from gateway_service.console.page import IMPORTS, MAIN, STATIC, imported
from gateway_service.console.vendor_files import FILES, HERE, LIST, VENDOR
from scheduler_service.jobs.job_types import JOB_TYPES
from worker_service.carbon.emission_tree import EMISSION_TYPES
from worker_service.carbon.outcomes import EntryOutcome

OURS = sorted(path for path in STATIC.rglob("*.js") if VENDOR not in path.parents)
ENTRY = re.compile(r'^  "([^"]+)": "((?:[^"\\]|\\.)*)",$', re.MULTILINE)
USED = re.compile(r'\btn?\(\s*"([a-z_.0-9]+)"')
LINES_MAX = 250
SERVICES = (
    *ledger_pb2.DESCRIPTOR.services_by_name.values(),
    *operations_pb2.DESCRIPTOR.services_by_name.values(),
    *scheduler_pb2.DESCRIPTOR.services_by_name.values(),
)


def words_of(language: str) -> dict[str, str]:
    text = (STATIC / "words" / f"{language}.js").read_text("utf-8")
    return dict(ENTRY.findall(text))


def test_vendored_files_are_those_of_the_lock_unmodified() -> None:
    listed = {one["file"]: one for one in json.loads(LIST.read_text("utf-8"))}
    locked = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    assert set(listed) == set(FILES) == {path.name for path in VENDOR.glob("*.js")}
    for name, one in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == one["sha256"], name
        package = locked[f"node_modules/{one['package']}"]
        assert (package["version"], package["integrity"]) == (one["version"], one["integrity"])


def test_the_notice_names_every_vendored_package() -> None:
    notice = (Path(__file__).parents[2] / "NOTICE").read_text("utf-8")
    for one in json.loads(LIST.read_text("utf-8")):
        assert f"{one['package']} {one['version']}" in notice


def test_the_lock_names_no_registry() -> None:
    assert "http" not in (HERE / "package-lock.json").read_text("utf-8").replace(
        "https://opencollective.com/preact", ""
    )


def test_every_import_of_a_library_is_in_the_import_map() -> None:
    for path in OURS:
        for name in re.findall(r'from "([^"]+)"', path.read_text("utf-8")):
            assert name.startswith(".") or name in IMPORTS, (path.name, name)


def test_what_is_loaded_early_is_there_and_holds_no_page() -> None:
    early = imported(MAIN)
    assert "vendor/preact.js" in early
    assert all((STATIC / name).is_file() for name in early)
    assert not [name for name in early if name.startswith("pages/")]


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    english, french = words_of("en"), words_of("fr")
    assert list(english) == list(french)
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", french[key])), key


def test_the_console_knows_the_roles_of_the_contract() -> None:
    told = {
        rpc: set(re.findall(r'"ROLE_([A-Z]+)"', roles))
        for rpc, roles in re.findall(
            r"^  (\w+): \[([^\]]*)\],$", (STATIC / "caller.js").read_text("utf-8"), re.MULTILINE
        )
    }
    contract = {
        one.name: {role.upper() for role in roles_allowed(f"/{service.full_name}/{one.name}")}
        for service in SERVICES
        for one in service.methods
        if one.name in told
    }
    assert told
    assert told == contract


# What the contract or a service names, and the console has words for: each group of words with the
# names, and what is cut off in front of them.
NAMED = (
    ("kind", tuple(JOB_TYPES), ""),
    ("outcome", tuple(EntryOutcome), ""),
    ("module", types_pb2.Module.keys(), "MODULE_"),
    ("type", types_pb2.DataEntryType.keys(), "DATA_ENTRY_TYPE_"),
    ("state", types_pb2.JobResult.keys(), ""),
    ("status", types_pb2.PipelineStatus.keys(), "PIPELINE_STATUS_"),
    ("stale_reason", monitoring_pb2.StaleReason.keys(), "STALE_REASON_"),
    ("worker_state", types_pb2.WorkerState.keys(), "WORKER_STATE_"),
    ("upload_state", ledger_pb2.UploadState.keys(), "UPLOAD_STATE_"),
)


def test_the_console_knows_every_check_which_changes_no_badge_of_a_module() -> None:
    store = (STATIC / "store.js").read_text("utf-8")
    [listed] = re.findall(r"^const CHECKS = \[(.*?)\];$", store, re.MULTILINE | re.DOTALL)
    checks = {name for name in JOB_TYPES if name.endswith("_check")}
    assert sorted(re.findall(r'"(\w+)"', listed)) == sorted(checks)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_whatever_a_service_names_has_words_in_each_language(language: str) -> None:
    known = {key.lower() for key in words_of(language)}
    wanted = {
        f"{group}.{name.removeprefix(prefix)}".lower()
        for group, names, prefix in NAMED
        for name in names
        if not name.endswith("UNSPECIFIED")
    }
    assert len(wanted) > 80
    assert wanted <= known


# Names of firms and of a facility, in any language.
PROPER_NAMES = {"anthropic", "cohere", "mistral_ai", "openai", "provider_google", "scitas"}


def test_every_node_of_the_emission_tree_has_a_name_in_each_language() -> None:
    known = {key.partition(".")[2] for key in words_of("fr") if "." in key}
    text = (STATIC / "format.js").read_text("utf-8")
    (acronyms,) = re.findall(r"ACRONYMS = \[([^\]]*)\]", text)
    known |= PROPER_NAMES | set(re.findall(r'"(\w+)"', acronyms))
    assert {path.rpartition(".")[2] for path in EMISSION_TYPES} <= known


# Fields that hold sentences of services, which are English whatever the page speaks.
SENTENCES = re.compile(
    r"\$\{\w+\.(?:message|detail|last_message|formula|not_ready|stuck|sentence|rule|advice"
    r"|description|summary|reason)\}"
)


def test_sentences_of_services_say_their_language() -> None:
    found = 0
    for path in OURS:
        for line in path.read_text("utf-8").splitlines():
            for sentence in SENTENCES.finditer(line):
                found += 1
                before = line[: sentence.start()]
                # An attribute beside the text, and a part that marks its own paragraphs.
                marked = ('lang="en"', "title=", "{Prose}")
                assert any(one in before for one in marked), (path.name, line)
    assert found > 10


def test_the_console_knows_what_limited_callers_may_do() -> None:
    text = (STATIC / "caller.js").read_text("utf-8")
    known = re.findall(r"^  (\w+): \[", text, re.MULTILINE)
    (listed,) = re.findall(r"WITHIN_LIMITS = \[([^\]]*)\]", text)
    whole = options_pb2.SCOPE_CHECK_WHOLE
    within = {
        one.name
        for service in SERVICES
        for one in service.methods
        if one.name in known and one.GetOptions().Extensions[options_pb2.scope_check] != whole
    }
    assert within == set(re.findall(r'"(\w+)"', listed))


def test_every_word_that_is_used_exists_and_every_entry_is_used() -> None:
    known = words_of("en")
    text = "".join(path.read_text("utf-8") for path in OURS if path.parent.name != "words")
    for key in USED.findall(text):
        assert key in known or f"{key}.other" in known, key
    for key in known:
        name = key.removesuffix(".one").removesuffix(".other")
        group = name.rpartition(".")[0]
        assert f'"{name}"' in text or (group and f"`{group}.$" in text), key


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(STATIC)))
def test_a_module_is_short_and_says_what_it_holds(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert lines[0].startswith("// ")
    if path.parent.name != "words":
        assert len(lines) <= LINES_MAX
    assert max(map(len, lines)) <= 130
