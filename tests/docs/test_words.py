"""Documents and protos keep to the glossary, and the glossary keeps to the wire."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.retired_words import RETIRED, retired_words_in, retired_words_in_code
from tests.tidy.tracked_files import REPOSITORY, tracked_files

# The changelog tells of words that were, and rows of results are never rewritten.
OTHERWISE = ("CHANGELOG.md", "benchmarks/RESULTS.md")
DOCUMENTS = [path for path in tracked_files(".md") if str(path) not in OTHERWISE]
# What a document quotes of code and of terminals is the code's to say.
FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
CODE_SUFFIXES = (".py", ".sql", ".toml", ".yml", ".yaml", ".sh", ".mako")
# Path or folder -> why its code keeps a retired word.
CODE_OTHERWISE = {
    "tests/docs/retired_words.py": "the list itself",
    "tests/docs/test_words.py": "texts to find the words in",
    "migrations/scheduler/versions": "a migration is never rewritten",
    "tests/carbonline/migrations/test_words_of_before.py": "reads what was there before",
}
SOURCES = [
    path
    for path in tracked_files(*CODE_SUFFIXES)
    if not any(path.is_relative_to(exempt) for exempt in CODE_OTHERWISE)
]
GLOSSARY = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<term>[^|]+) \| (?P<meaning>[^|]+) \| (?P<wire>[^|]*)\|$", re.MULTILINE)
TERMS = [row for row in ROW.finditer(GLOSSARY) if row["term"] != "term"]


def prose_of(markdown: str) -> str:
    """The document without what it quotes; lines keep their numbers."""
    without = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), markdown)
    return CODE.sub("`", without)


# All files in one test: thousands of tests, each of a file, cost more than the reading.
def complaints_about(paths: list[Path], find: Callable[[str], list[str]]) -> str:
    """A line per place, with its file, line and what to write instead."""
    texts = ((path, (REPOSITORY / path).read_text(encoding="utf-8")) for path in paths)
    return "\n".join(f"{path}, {complaint}" for path, text in texts for complaint in find(text))


def test_a_document_has_no_retired_word() -> None:
    found = complaints_about(DOCUMENTS, lambda text: retired_words_in(prose_of(text)))
    assert not found, found


def test_code_has_no_retired_word() -> None:
    assert len(SOURCES) > 1000
    found = complaints_about(SOURCES, retired_words_in_code)
    assert not found, found


@pytest.mark.parametrize("exempt", CODE_OTHERWISE)
def test_code_that_is_exempt_still_has_a_retired_word(exempt: str) -> None:
    paths = [path for path in tracked_files(*CODE_SUFFIXES) if path.is_relative_to(exempt)]
    texts = [(REPOSITORY / path).read_text(encoding="utf-8") for path in paths]
    assert any(map(retired_words_in_code, texts))


def test_the_name_of_a_file_has_no_retired_word() -> None:
    names = [
        str(path)
        for path in tracked_files()
        if not any(path.is_relative_to(exempt) for exempt in CODE_OTHERWISE)
    ]
    assert [(name, found) for name in names if (found := retired_words_in_code(name))] == []


def test_the_rule_of_a_mutant_has_no_retired_word() -> None:
    def words_of_the_rule(patch: str) -> list[str]:
        return retired_words_in(patch.partition("\n")[0])

    found = complaints_about(tracked_files(".patch"), words_of_the_rule)
    assert not found, found


def test_a_proto_has_no_retired_word() -> None:
    def words_of_comments(proto: str) -> list[str]:
        comments = [line.partition("//")[2].strip() for line in proto.splitlines()]
        return retired_words_in("\n".join(comments))

    found = complaints_about(tracked_files(".proto"), words_of_comments)
    assert not found, found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The lease lapsed.", 1),
        ("The lease expired.", 0),
        ("It ended in the dark, and a\ndark token stayed.", 2),
        ("Dark mode is not a claim.", 0),
        ("It gives the job back.", 1),
        ("It goes back to it.", 0),
        ("A name is case-folded, a twin is folded.", 2),
        ("Scope 3 is GHG scope 3.", 1),
        ("PostgreSQL is away; go away.", 1),
        ("This is no job. It is no longer one.", 1),
        ("FewWords and few words.", 1),
    ],
)
def test_a_retired_word_is_found_in_its_retired_meaning_only(text: str, words: int) -> None:
    assert len(retired_words_in(text)) == words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("self.dark_token = lease.lapses", 2),
        ("class PipelineCards(PoolingDoor): ...", 2),
        ("def say_kilograms(): ...", 1),
        ("def assay(told): ...", 0),
        ("in_doubt_token, expiries, is_not_a_url", 0),
        ("def test_what_is_no_url(): ...", 1),
    ],
)
def test_a_retired_word_is_found_within_an_identifier(code: str, words: int) -> None:
    assert len(retired_words_in_code(code)) == words


def test_a_complaint_names_the_line_and_the_word_to_write() -> None:
    assert retired_words_in("a\nits twin") == ["line 2: 'twin': write duplicate"]


def test_what_a_document_quotes_is_left_to_the_code() -> None:
    quoted = "a `lapsed` line\n```console\n$ echo lapsed\n```\nlapsed"
    assert retired_words_in(prose_of(quoted)) == ["line 5: 'lapsed': write expire"]


def test_terms_stand_in_alphabetical_order_once_each() -> None:
    terms = [row["term"].casefold() for row in TERMS]
    assert len(terms) > 50
    assert terms == sorted(set(terms))


def test_what_the_glossary_names_on_the_wire_is_there() -> None:
    protos = "\n".join(
        (REPOSITORY / path).read_text(encoding="utf-8") for path in tracked_files(".proto")
    )
    errors = (REPOSITORY / "carbonline/serving/errors.py").read_text(encoding="utf-8")
    wire = set(re.findall(r"\w+", protos)) | set(re.findall(r'"([A-Z_]+)"', errors))
    named = {
        word
        for row in TERMS
        for code in CODE.findall(row["wire"])
        for word in re.findall(r"\w+", code)
    }
    assert sorted(named - wire) == []


def test_the_glossary_has_what_is_written_instead_of_a_retired_word() -> None:
    terms = {term for row in TERMS for term in re.split(r", ", row["term"])}
    for word in ("expire", "in doubt", "held child", "release", "duplicate", "supersede"):
        assert word in terms
        assert any(word in one.instead for one in RETIRED)
