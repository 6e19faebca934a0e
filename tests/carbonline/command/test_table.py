"""Tables at every width: what is a number or an id is whole, and nothing is lost."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from carbonline.command.columns import Column, Kind, Row, joined
from carbonline.command.table import table_lines, wrapped

COLUMNS = (
    Column("unit", kind=Kind.WORD),
    Column("name"),
    Column("module", once_if_same=True),
    Column("job", kind=Kind.NUMERAL),
    Column("entries", kind=Kind.NUMBER),
    Column("total_kg", "kg CO2eq", Kind.NUMBER),
)
WORDS = st.text("abcdefghijklmnopqrstuvwxyzäé日本_", min_size=1, max_size=30)
ROWS = st.fixed_dictionaries(
    {
        "unit": st.from_regex(r"[A-Z0-9-]{1,18}", fullmatch=True),
        "name": st.lists(WORDS, max_size=8).map(" ".join),
        "module": st.sampled_from(["professional_travel", "buildings"]),
        "job": st.integers(1, 2**63 - 1),
        "entries": st.integers(0, 10**12),
        "total_kg": st.decimals(0, 10**15, places=6),
    }
)
AIRLINES: list[Row] = [
    {"unit": "9E", "name": "Endeavor Air Inc.", "module": "professional_travel", "job": 4},
    {"unit": "AA", "name": "American Airlines Inc.", "module": "professional_travel", "job": 17},
]
KG: list[Row] = [
    {**AIRLINES[0], "entries": 17_416, "total_kg": Decimal("3022147.2914")},
    {**AIRLINES[1], "entries": 32_093, "total_kg": Decimal("13673300.82")},
]
TOTAL: Row = {"unit": "all", "entries": 49_509, "total_kg": Decimal("16695448.1114")}


def whole_words(lines: list[str]) -> set[str]:
    return {word for line in lines for word in line.split()}


@given(st.lists(ROWS, min_size=1, max_size=6), st.integers(20, 200), st.booleans())
def test_neither_a_number_nor_an_id_is_ever_cut(
    rows: list[Row], width: int, has_total: bool
) -> None:
    lines = table_lines(COLUMNS, rows, width, TOTAL if has_total else None)
    words = whole_words(lines)
    for row in [*rows, *([TOTAL] if has_total else [])]:
        for name in ("unit", "job", "entries", "total_kg"):
            column = next(one for one in COLUMNS if one.name == name)
            cell = column.cell(row.get(name))
            assert not cell or cell in words, (name, cell, lines)


@given(st.lists(ROWS, min_size=1, max_size=6), st.integers(20, 200))
def test_no_line_is_longer_than_the_width_and_no_letter_is_lost(
    rows: list[Row], width: int
) -> None:
    lines = table_lines(COLUMNS, rows, width)
    # One number alone may be wider than all there is: whole, it sticks out.
    assert all(cell_len(line) <= max(width, 26) for line in lines), lines
    letters = "".join(lines)
    for row in rows:
        for letter in set(str(row["name"])):
            assert letter in letters


@given(st.lists(st.lists(WORDS, min_size=1).map(" ".join)), st.integers(20, 60))
def test_a_wrapped_text_has_all_its_words_in_order(texts: list[str], width: int) -> None:
    rows: list[Row] = [{"job": n, "name": text} for n, text in enumerate(texts, start=1)]
    columns = (Column("job", kind=Kind.NUMERAL), Column("name"))
    body = "".join("".join(table_lines(columns, rows, width)).split())
    body = re.sub(r"[\d:─]|job|name", "", body)
    assert body == re.sub(r"job|name", "", "".join("".join(texts).split()))


def test_a_column_that_says_the_same_everywhere_is_said_above() -> None:
    assert table_lines(COLUMNS, KG, 80, TOTAL) == [
        "module: professional_travel",
        "unit  name                    job  entries        kg CO2eq",
        "──────────────────────────────────────────────────────────",
        "9E    Endeavor Air Inc.         4   17,416   3,022,147.291",
        "AA    American Airlines Inc.   17   32,093  13,673,300.820",
        "──────────────────────────────────────────────────────────",
        "all                                 49,509  16,695,448.111",
    ]


def test_text_gives_way_to_numbers() -> None:
    assert table_lines(COLUMNS, KG, 44) == [
        "module: professional_travel",
        "unit  name      job  entries        kg CO2eq",
        "────────────────────────────────────────────",
        "9E    Endeavor    4   17,416   3,022,147.291",
        "      Air Inc.",
        "AA    American   17   32,093  13,673,300.820",
        "      Airlines",
        "      Inc.",
    ]


def test_where_a_table_is_too_wide_each_row_is_a_record() -> None:
    assert table_lines(COLUMNS, KG, 36, TOTAL) == [
        "module: professional_travel",
        "unit: 9E",
        "name: Endeavor Air Inc.",
        "job: 4",
        "entries: 17,416",
        "kg CO2eq: 3,022,147.291",
        "",
        "unit: AA",
        "name: American Airlines Inc.",
        "job: 17",
        "entries: 32,093",
        "kg CO2eq: 13,673,300.820",
        "────────────────────",
        "unit: all",
        "entries: 49,509",
        "kg CO2eq: 16,695,448.111",
    ]


def test_a_word_that_no_line_holds_is_broken_at_a_joint() -> None:
    assert wrapped("user_institutional_id of: somebody", 20) == [
        "user_institutional_",
        "id of: somebody",
    ]
    assert wrapped("abcdefghijklmnopqrstuvwxyz", 20) == ["abcdefghijklmnopqrst", "uvwxyz"]


def test_a_record_breaks_text_at_spaces_and_a_number_never() -> None:
    row: Row = {"name": "Institute of Very Long Names", "entries": 10**20}
    assert table_lines(COLUMNS, [row], 20) == [
        "name: Institute of",
        "  Very Long Names",
        "entries:",
        "100,000,000,000,000,000,000",
    ]


@pytest.mark.parametrize(
    ("column", "value", "cell"),
    [
        (Column("n", kind=Kind.NUMBER), 1234567, "1,234,567"),
        (Column("n", kind=Kind.NUMBER), Decimal("1234.5"), "1,234.500"),
        (Column("n", kind=Kind.NUMBER, decimals=1), 0.25, "0.2"),
        (Column("n", kind=Kind.NUMERAL), 1234567, "1234567"),
        (Column("n"), None, ""),
        (Column("n"), True, "yes"),
        (Column("n"), ["csv_ingest 7", "aggregation 9"], "csv_ingest 7, aggregation 9"),
        (Column("n"), {"computed": 2}, "computed: 2"),
        (Column("n"), datetime(2024, 3, 31, 9, 5, tzinfo=UTC), "2024-03-31 09:05:00"),
        (Column("n"), "two\nlines", "two\\nlines"),
    ],
)
def test_a_value_as_people_read_it(column: Column, value: object, cell: str) -> None:
    assert column.cell(value) == cell  # type: ignore[arg-type]  # all sorts of values


def test_what_has_no_value_in_any_row_has_no_column() -> None:
    lines = table_lines(COLUMNS, [{"unit": "U1", "entries": 0}], 80)
    assert lines[0].split() == ["unit", "entries"]


def test_values_within_values_are_words() -> None:
    stats = {"rows": 2, "unread": ["a", "b"], "by_unit": {"0828": {"kg": 1.5}}, "doubts": []}
    assert joined(stats) == "rows: 2, unread: (a, b), by_unit: (0828: (kg: 1.5)), doubts: none"
    assert joined({"codes": [{"new": True, "old": None}]}) == "codes: ((new: yes, old: none))"


def test_a_number_stays_with_its_unit_where_both_fit() -> None:
    assert wrapped("3,116.754 kg now, 81.549 kg with the file", 24) == [
        "3,116.754 kg now,",
        "81.549 kg with the file",
    ]
    assert wrapped("3,116.754 kg", 9) == ["3,116.754", "kg"]
