"""Documents and protos keep to the glossary, and the glossary keeps to the wire."""

import re

import pytest

from tests.docs.retired_words import RETIRED, retired_words_in
from tests.tidy.tracked_files import REPOSITORY, tracked_files

# The changelog tells of words that were, and rows of results are never rewritten.
OTHERWISE = ("CHANGELOG.md", "benchmarks/RESULTS.md")
DOCUMENTS = [path for path in tracked_files(".md") if str(path) not in OTHERWISE]
# What a document quotes of code and of terminals is the code's to say.
FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
# Rooms whose code keeps to the glossary, too: names, comments, docstrings and messages.
CODE_OF = ("worker_service", "carbonline/local")
# Of file formats and of accounting: words of other trades.
CODE_OTHERWISE = "worker_service/carbon"
SOURCES = [
    path
    for path in tracked_files(".py")
    if any(path.is_relative_to(folder) for folder in CODE_OF)
    and not path.is_relative_to(CODE_OTHERWISE)
]
GLOSSARY = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<term>[^|]+) \| (?P<meaning>[^|]+) \| (?P<wire>[^|]*)\|$", re.MULTILINE)
TERMS = [row for row in ROW.finditer(GLOSSARY) if row["term"] != "term"]


def prose_of(markdown: str) -> str:
    """The document without what it quotes; lines keep their numbers."""
    without = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), markdown)
    return CODE.sub("`", without)


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_document_has_no_retired_word(document: str) -> None:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    assert retired_words_in(prose_of(text)) == []


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_code_has_no_retired_word(source: str) -> None:
    assert retired_words_in((REPOSITORY / source).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("proto", tracked_files(".proto"), ids=str)
def test_a_proto_has_no_retired_word(proto: str) -> None:
    lines = (REPOSITORY / proto).read_text(encoding="utf-8").splitlines()
    comments = [line.partition("//")[2].strip() for line in lines]
    assert retired_words_in("\n".join(comments)) == []


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
