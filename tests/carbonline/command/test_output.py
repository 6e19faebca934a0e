"""Lists as files and JSON: the same rows under the same names, whole or not at all."""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner

from carbonline.command.columns import Column, Kind, Row
from carbonline.command.output import Output, chosen_output, output_options, show_rows
from carbonline.command.output_file import UNFINISHED
from carbonline.command.row_files import XLSX_ROWS_MAX, write_csv, write_json, write_xlsx
from carbonline.command.safe_text import lines

COLUMNS = (
    Column("unit", kind=Kind.WORD),
    Column("name_words", "name", in_files=False),
    Column("entries", kind=Kind.NUMBER),
    Column("total_kg", kind=Kind.NUMBER),
    Column("fresh", in_tables=False),
    Column("computed_at", in_tables=False),
    Column("outcomes", in_tables=False),
)
ROWS: list[Row] = [
    {
        "unit": "0828",
        "name_words": "Physics",
        "entries": 2**60,
        "total_kg": Decimal("110161851.046499123456789"),
        "fresh": True,
        "computed_at": datetime(2024, 3, 31, 9, 15, tzinfo=UTC),
        "outcomes": {"computed": 3},
    },
    {"unit": "=HYPERLINK(A1)", "name_words": "Zürich"},
]


def shown_as(*words: str, rows: list[Row] = ROWS, more: str = "") -> tuple[str, str]:
    """Stdout and stderr of a command that lists `rows`."""

    @click.command()
    @output_options
    def listed(output: Output) -> None:
        """A list."""
        show_rows(COLUMNS, rows, output, about={"year": 2024}, if_none="There are none.", more=more)

    ended = CliRunner().invoke(listed, [*words])
    assert ended.exit_code == 0, ended.output
    return ended.stdout, ended.stderr


@pytest.mark.parametrize("words", [("--json",), ("--format", "json")])
def test_json_has_names_integers_and_all_digits(words: tuple[str, ...]) -> None:
    said, _ = shown_as(*words)
    answer = json.loads(said, parse_float=Decimal)
    assert list(answer) == ["rows", "year", "more"]
    assert (answer["year"], answer["more"]) == (2024, False)
    first, second = answer["rows"]
    assert list(first) == ["unit", "entries", "total_kg", "fresh", "computed_at", "outcomes"]
    assert first["entries"] == 2**60
    assert first["total_kg"] == Decimal("110161851.046499123456789")
    assert (first["fresh"], first["computed_at"]) == (True, "2024-03-31T09:15:00.000Z")
    assert first["outcomes"] == {"computed": 3}
    # What is not known is said to be so: every row has every name.
    assert list(second) == list(first)
    assert second["entries"] is None


def test_json_has_nothing_that_a_terminal_obeys_and_means_the_same() -> None:
    odd = "a\x1b[2J\x07\x85\x9b31m\u202eb\u2066\u2028\x7f\udcfc日本"
    rows: list[Row] = [{"unit": odd, "outcomes": {odd: 1}}]
    said, _ = shown_as("--json", rows=rows)
    assert lines(said) == said
    [row] = json.loads(said)["rows"]
    assert (row["unit"], row["outcomes"]) == (odd, {odd: 1})
    assert "日本" in said


def test_a_link_with_a_passing_name_is_not_followed(tmp_path: Path) -> None:
    mine, output = tmp_path / "mine.csv", tmp_path / "list.csv"
    mine.write_text("mine")
    link = tmp_path / f"list.csv{UNFINISHED}"
    link.symlink_to(mine)
    shown_as("-o", str(output))
    assert mine.read_text() == "mine"
    assert link.is_symlink()
    assert output.read_text().startswith("unit,")
    assert {one.name for one in tmp_path.iterdir()} == {mine.name, output.name, link.name}


def test_json_without_rows_is_of_the_same_shape() -> None:
    said, complaint = shown_as("--json", rows=[])
    assert json.loads(said) == {"rows": [], "year": 2024, "more": False}
    assert complaint == ""


def test_csv_has_the_same_names_and_no_formula() -> None:
    first, second = csv.DictReader(io.StringIO(shown_as("--format", "csv")[0]))
    assert list(first) == ["unit", "entries", "total_kg", "fresh", "computed_at", "outcomes"]
    assert first["total_kg"] == "110161851.046499123456789"
    assert (first["entries"], first["fresh"]) == (str(2**60), "true")
    assert json.loads(first["outcomes"]) == {"computed": 3}
    assert second["unit"] == "'=HYPERLINK(A1)"
    assert second["entries"] == ""


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_beginning_of_a_formula_is_left_in_a_csv(text: str) -> None:
    file = io.BytesIO()
    write_csv((Column("a"),), [{"a": text}, {"a": "-1.5"}], file)
    one, two = csv.DictReader(io.StringIO(file.getvalue().decode(), newline=""))
    assert (one["a"], two["a"]) == (f"'{text}", "-1.5")


def test_a_spreadsheet_holds_texts_and_numbers_and_no_formula(tmp_path: Path) -> None:
    _, said = shown_as("-o", str(tmp_path / "list.xlsx"))
    assert said == f"2 rows in {tmp_path / 'list.xlsx'}.\n"
    with zipfile.ZipFile(tmp_path / "list.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert "=HYPERLINK(A1)" in texts
    # A spreadsheet counts by ones up to 15 digits only; longer ids stay text.
    assert str(2**60) in texts
    assert "110161851.0464991" in sheet


def test_a_spreadsheet_has_an_end() -> None:
    rows: list[Row] = [{}] * (XLSX_ROWS_MAX + 1)
    with pytest.raises(click.UsageError, match=r"holds 1,048,575 rows, and these are 1,048,576"):
        write_xlsx(COLUMNS, rows, io.BytesIO())


def test_parquet_keeps_types(tmp_path: Path) -> None:
    shown_as("--output", str(tmp_path / "list.parquet"))
    frame = pl.read_parquet(tmp_path / "list.parquet")
    assert frame["entries"].to_list() == [2**60, None]
    assert frame["total_kg"].dtype == pl.Float64
    assert frame["computed_at"][0] == ROWS[0]["computed_at"]
    assert frame["unit"].to_list() == ["0828", "=HYPERLINK(A1)"]


@pytest.mark.parametrize("name", ["list.csv", "list.JSON", "list.txt"])
def test_the_ending_says_how_a_file_is_written(tmp_path: Path, name: str) -> None:
    out, _ = shown_as("-o", str(tmp_path / name))
    assert out == ""
    assert "0828" in (tmp_path / name).read_text()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("form", "name", "said"),
    [
        ("json", "list.csv", "list.csv is not a json file"),
        (None, "list.ods", "does not say the format: use one of .csv, .json, .xlsx, .parquet"),
        (None, "list", "or --format"),
    ],
)
def test_an_ending_that_says_nothing_or_the_contrary_is_refused(
    form: str | None, name: str, said: str
) -> None:
    with pytest.raises(click.UsageError, match=said):
        chosen_output(form, Path(name))


def test_a_list_that_is_empty_or_cut_says_so_beside_its_rows() -> None:
    assert shown_as(rows=[]) == ("", "There are none.\n")
    out, said = shown_as(more="raise --limit")
    assert "0828" in out
    assert said == "There are more: raise --limit.\n"
    assert json.loads(shown_as("--json", more="raise --limit")[0])["more"] is True


def test_a_row_is_a_line_of_the_json() -> None:
    file = io.BytesIO()
    write_json((Column("a"), Column("b")), [{"a": "ü"}, {"a": None, "b": [1]}], {}, file)
    assert file.getvalue().decode() == (
        '{\n  "rows": [\n    {"a": "ü", "b": null},\n    {"a": null, "b": [1]}\n  ]\n}\n'
    )
