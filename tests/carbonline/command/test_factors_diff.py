"""What differs between two sets of factors: added, removed, and changed by how much."""

from decimal import Decimal
from pathlib import Path

import pytest
from click import UsageError
from click.testing import CliRunner

from carbonline.command.factors_diff import FactorColumns, FileSetOrYear, differences, file_rows
from carbonline.command.main import main

CODES = FactorColumns(("code", "currency"), ("ef", "energy_type"))
OLD = [
    {"code": "51", "currency": "chf", "ef": "0.5"},
    {"code": "52", "currency": "chf", "ef": "0.2", "energy_type": "electric"},
    {"code": "53", "currency": "chf", "ef": "1"},
]


def test_what_was_added_removed_and_changed_is_told_with_the_change() -> None:
    new = [
        {"code": "51", "currency": "CHF ", "ef": "0.50"},
        {"code": "52", "currency": "chf", "ef": "0.3", "energy_type": "thermal"},
        {"code": "54", "currency": "chf", "ef": "2"},
    ]
    changed = {"factor": "52, chf", "change": "changed"}
    assert list(differences(CODES, OLD, new)) == [
        {
            **changed,
            "column": "ef",
            "old": Decimal("0.2"),
            "new": Decimal("0.3"),
            "percent": Decimal(50),
        },
        {
            **changed,
            "column": "energy_type",
            "old": "electric",
            "new": "thermal",
            "percent": None,
        },
        {"factor": "53, chf", "change": "removed", "column": "ef", "old": Decimal(1)},
        {"factor": "54, chf", "change": "added", "column": "ef", "new": Decimal(2)},
    ]


def test_equal_sets_do_not_differ() -> None:
    assert list(differences(CODES, OLD, OLD)) == []


def test_a_value_that_came_has_no_percentage() -> None:
    bare = [{"code": "51", "currency": "chf"}]
    [came] = differences(CODES, bare, OLD[:1])
    assert (came["old"], came["new"], came["percent"]) == (None, Decimal("0.5"), None)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffCode,Currency,Ef\nÄ1,chf,0.5\n".encode(),
        "code;currency;ef\nÄ1;chf;0.5\n".encode("cp1252"),
        "code\tcurrency\tef\r\nÄ1\tchf\t0.5\r\n".encode(),
    ],
)
def test_files_have_the_separators_and_encodings_of_uploads(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "factors.csv"
    file.write_bytes(content)
    assert list(file_rows(file, CODES)) == [{"code": "Ä1", "currency": "chf", "ef": "0.5"}]


@pytest.mark.parametrize(
    ("content", "lacks"),
    [
        (b"", "code, currency"),
        (b"PK\x03\x04\x00\xff,\r\x00", "code, currency"),
        (b"name,ef\nA,1\n", "code, currency"),
        (b"code,currency\n51,chf\n", "ef, energy_type"),
    ],
)
def test_a_file_of_something_else_is_refused_rather_than_compared(
    content: bytes, lacks: str, tmp_path: Path
) -> None:
    file = tmp_path / "factors.csv"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=f"none of the columns {lacks}"):
        file_rows(file, CODES)


def test_a_side_is_a_year_a_set_or_a_file(tmp_path: Path) -> None:
    side = FileSetOrYear()
    assert side.convert("2024", None, None) == 2024
    assert side.convert("UK-Gov-2024", None, None).name == "uk-gov-2024"
    file = tmp_path / "own.csv"
    file.touch()
    assert side.convert(str(file), None, None) == file


def test_a_set_that_is_not_on_the_shelf_is_answered_with_the_nearest() -> None:
    ended = CliRunner().invoke(main, ["factors", "diff", "uk-gov-2042", "uk-gov-2024"])
    assert ended.exit_code == 2
    assert "did you mean uk-gov-2024" in " ".join(ended.output.split())


def test_a_year_needs_its_type() -> None:
    ended = CliRunner().invoke(main, ["factors", "diff", "2023", "uk-gov-2024"])
    assert ended.exit_code == 2
    assert "Missing option '--type'" in ended.output


def test_a_set_without_the_type_says_which_it_has() -> None:
    words = ["load", "factors", "ipcc-ar6", "--type", "plane", "--year", "2024"]
    ended = CliRunner().invoke(main, words)
    assert ended.exit_code == 2
    assert "ipcc-ar6 has no factors of plane: it has process_emissions." in ended.output
