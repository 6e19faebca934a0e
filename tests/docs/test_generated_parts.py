"""What docs/ say of tables in the code is what the code says: `make docs` would change nothing."""

from pathlib import Path

import pytest

from docs.generate import OPENAPI, PART, PARTS, documents, openapi_text, renewed


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_a_document_is_as_make_docs_writes_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert renewed(text) == text


def test_the_document_of_the_http_api_is_as_make_docs_writes_it() -> None:
    # What differs is what a release changes for programs: say it in the changelog.
    assert OPENAPI.read_text(encoding="utf-8") == openapi_text()


def test_every_generated_part_is_shown_once() -> None:
    shown = [
        part["name"] for path in documents() for part in PART.finditer(path.read_text("utf-8"))
    ]
    assert sorted(shown) == sorted(PARTS)


def test_an_outdated_part_is_renewed_and_the_rest_stays() -> None:
    text = "before\n<!-- generated: outcomes -->\nold\n<!-- end -->\nafter <!-- end -->\n"
    new = renewed(text)
    assert new.startswith("before\n<!-- generated: outcomes -->\n\n| outcome | kilograms |")
    assert new.endswith("\n\n<!-- end -->\nafter <!-- end -->\n")
    assert "old" not in new
    assert renewed(new) == new
