"""Reading of CSV files against the csv module of the standard library, and all bad files."""

import contextlib
import csv
import gzip
import io
import unicodedata
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.worker_service.carbon.plane_files import opening, stripped
from worker_service.carbon.csv_source import lines as lines_module
from worker_service.carbon.csv_source.byte_stream import READ_BYTES
from worker_service.carbon.csv_source.reading import TextFile, read_text
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.csv_source.shown import shown, shown_text
from worker_service.carbon.csv_source.survey import LINE_BYTES_MAX

# The csv module cannot read a lone CR that it wrote; ' and = may mark text, Ctrl-Z the end.
_FIELD = st.text(st.characters(exclude_characters="\0\r'=\x1a", codec="utf-8"), max_size=8)
_PLAIN_FIELD = st.text(st.sampled_from("ab é1.\t\x01;"), max_size=4)
_NAMES = ("a", "b", "c")


def read(content: bytes | str) -> tuple[dict[int, list[str]], list[int], TextFile]:
    """Fields by row number, the numbers of ragged rows, and the file."""
    file = read_text(opening(content), ["a"], ["b", "c"])
    rows: dict[int, list[str]] = {}
    ragged: list[int] = []
    for batch in file.batches:
        for number, *fields in batch.frame.rows():
            # What stands around a field is trimmed at the latest when it is checked.
            rows[number] = [stripped(field or "") for field in fields]
        ragged += batch.ragged["row"].to_list()
    return rows, ragged, file


def _expected(text: str) -> tuple[dict[int, list[str]], list[int]]:
    """What the csv module makes of it, with every line end as LF, at the header's width."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    records = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True))[1:]
    good: dict[int, list[str]] = {}
    wide = []
    for row, record in enumerate(records, 1):
        # A field of several lines with two commas may hold a row that a quote swallowed.
        assume(not any("\n" in field and field.count(",") > 1 for field in record))
        if any(field.strip() for field in record[3:]):
            wide.append(row)
        elif any(field.strip() for field in record):
            good[row] = [stripped(field) for field in [*record, "", "", ""][:3]]
    return good, wide


@settings(deadline=None)
@given(
    rows=st.lists(st.lists(_FIELD, min_size=3, max_size=3), min_size=1),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_csv_writer_writes_is_read_back(
    rows: list[list[str]], quoting: Any, line_end: str
) -> None:
    rows = [[f"x{first}", *others] for first, *others in rows]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator=line_end).writerows([_NAMES, *rows])
    read_rows, ragged, _ = read(text.getvalue())
    wanted, _ = _expected(text.getvalue())
    assert (read_rows, ragged) == (wanted, [])
    assert len(read_rows) == len(rows)


@settings(deadline=None)
@given(
    rows=st.lists(st.lists(_PLAIN_FIELD, max_size=5), min_size=1), end=st.sampled_from(["", "\n"])
)
def test_unquoted_rows_of_any_width_are_read_as_the_csv_module_reads_them(
    rows: list[list[str]], end: str
) -> None:
    text = "\n".join(["a,b,c", "good,1,2", *(",".join(row) for row in rows)]) + end
    assert read(text)[:2] == _expected(text)


@settings(deadline=None)
@given(
    body=st.text(st.sampled_from('ab,"\n'), max_size=60),
    block_rows=st.integers(1, 5),
)
def test_quotes_anywhere_mean_what_the_csv_module_says(body: str, block_rows: int) -> None:
    text = "a,b,c\ngood,1,2\n" + body + "\n"
    closed = list(csv.reader(io.StringIO(text + "end,of,file\n")))[-1] == ["end", "of", "file"]
    before = lines_module.BLOCK_ROWS
    lines_module.BLOCK_ROWS = block_rows
    try:
        if closed:
            assert read(text)[:2] == _expected(text)
        else:
            assert _refusal(text).cause is Cause.OPEN_QUOTES
    finally:
        lines_module.BLOCK_ROWS = before


def test_blocks_and_row_numbers_line_up_over_a_large_file() -> None:
    body = "".join(
        f'{n},"q{n}\n",z\n' if n % 7_001 == 0 else f"{n},{n},z\n" for n in range(1, 150_001)
    )
    rows, ragged, file = read("a,b,c\n" + body)
    assert ragged == []
    assert len(rows) == 150_000
    assert all(fields[0] == str(number) for number, fields in rows.items())
    assert rows[7_001] == ["7001", "q7001", "z"]
    assert file.line_count == pytest.approx(150_000, rel=0.01)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("a,b,c\n1,2,3\n", ["1", "2", "3"]),
        ("a;b;c\n1;2;3\n", ["1", "2", "3"]),
        ("a,b,c\r\n1,2,3\r\n", ["1", "2", "3"]),
        ("a,b,c\r1,2,3\r", ["1", "2", "3"]),
        ("a,b,c\n1,2,3", ["1", "2", "3"]),
        ("\ufeffa,b,c\n1,2,3\n", ["1", "2", "3"]),
        ('\ufeff"a","b","c"\n1,2,3\n', ["1", "2", "3"]),
        (" A , B ,C\n1,2,3\n", ["1", "2", "3"]),
        ("a\tb\tc\n1\t2\t3\n", ["1", "2", "3"]),
        ('a\tb\tc\n1\t"2\t"\t3\n', ["1", "2", "3"]),
        ("sep=;\r\na;b;c\r\n1;2;3\r\n", ["1", "2", "3"]),
        ("\ufeffSEP=,\na,b,c\n1,2,3\n", ["1", "2", "3"]),
        ('"sep=\t"\na\tb\tc\n1\t2\t3\n', ["1", "2", "3"]),
        # The line may be left from another spreadsheet's separator.
        ("sep=;\na,b,c\n1,2,3\n", ["1", "2", "3"]),
        ("sep=|\na,b,c\n1,2,3\n", ["1", "2", "3"]),
        ('"a", "b",  "c"\n"1", "2", "3"\n', ["1", "2", "3"]),
        ('a,b,c\n  "1,x", 2,3\n', ["1,x", "2", "3"]),
        (5 * "\ufeff" + "a,b,c\n1,2,3\n", ["1", "2", "3"]),
        ("\ufeffa\u200b,\u00adb,c\u00a0\n1,2,3\n", ["1", "2", "3"]),
        (b"\xef\xbb\xbfa,b,c\n\xff,2,3\n", ["ÿ", "2", "3"]),
        ("\n\na,b,c\n1,2,3\n", ["1", "2", "3"]),
        # The magic bytes of zlib, to which polars would listen.
        ("a,b,c\nx^,2,3\n", ["x^", "2", "3"]),
        ("a,b,c\nx\x01,2,3\n", ["x\x01", "2", "3"]),
        ("b,a,c\n2,1,3\n", ["1", "2", "3"]),
        ("a,b,c\nZürich,2,3\n", ["Zürich", "2", "3"]),
        ("a,b,c\nZürich / Genève,2,€\n".encode("cp1252"), ["Zürich / Genève", "2", "€"]),
        (gzip.compress(b"a,b,c\n1,2,3\n", mtime=0), ["1", "2", "3"]),
        (gzip.compress(b"a,b,c\n", mtime=0) + gzip.compress(b"1,2,3\n", mtime=0), ["1", "2", "3"]),
        ('a,b,c\n1,"5"" pipe",3\n', ["1", '5" pipe', "3"]),
        ('a,b,c\n1,"x\r\ny\rz",3\n', ["1", "x\ny\nz", "3"]),
        ('a,b,c\n1,5" pipe,3\n', ["1", '5" pipe', "3"]),
    ],
)
def test_forms_of_one_file(content: bytes | str, wanted: list[str]) -> None:
    assert read(content)[0] == {1: wanted}


def test_blank_rows_are_skipped_and_counted() -> None:
    rows, ragged, _ = read("a,b,c\n1,2,3\n\n,,\n  \n , ,\t,,\n2,2,3\n")
    assert sorted(rows) == [1, 6]
    assert ragged == []


WIDE = ",".join(["1", "2", "3", *[""] * 500])


@pytest.mark.parametrize("quoted", ["", '1,5" pipe,3\n'])
def test_fields_that_lack_are_empty_and_empty_ones_too_many_are_none(
    quoted: str,
) -> None:
    first = 2 if quoted else 1
    rows, ragged, _ = read(f"a,b,c\n{quoted}1,2\n1\n1,2,3,\n1,2,3, ,\t\n{WIDE}\n,2\n")
    assert ragged == []
    assert [rows[number] for number in range(first, first + 6)] == [
        ["1", "2", ""],
        ["1", "", ""],
        ["1", "2", "3"],
        ["1", "2", "3"],
        ["1", "2", "3"],
        ["", "2", ""],
    ]


def test_rows_that_say_more_than_the_header_are_rejected_with_their_number() -> None:
    very_wide = f"a,b,c\n1,2,3,4\n1,2,3\n{WIDE},x\n"
    for content in (very_wide, very_wide + '1,5" pipe,3\n'):
        [batch] = read_text(opening(content), ["a"], []).batches
        assert batch.frame["row_number"].to_list() == [2, 4][: batch.frame.height]
        assert batch.ragged.select("row", "reason").rows() == [
            (1, "4 fields, and the header has 3"),
            (3, "504 fields, and the header has 3"),
        ]
        assert batch.ragged["value"][0] == "1,2,3,4"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", "\x1a\r\n"])
@pytest.mark.parametrize("before", ["", "\n", "\r\n", "\r"])
def test_the_mark_of_the_end_of_a_text_is_not_a_row(before: str, end: str) -> None:
    content = f"a,b,c\n1,2,3{before}\x1a{end}".encode()
    assert read(content)[:2] == ({1: ["1", "2", "3"]}, [])
    batches = read_text(lambda: _OneByteAtATime(content), ["a"], []).batches
    assert [batch.frame["a"].to_list() for batch in batches] == [["1"]]


def test_the_mark_of_the_end_of_a_text_elsewhere_is_a_character() -> None:
    assert read("a,b,c\n1\x1a,2,3\x1a\n4,5,6\n")[0][1] == ["1\x1a", "2", "3\x1a"]


def test_what_is_shown_of_a_file_cannot_act() -> None:
    rows, _, file = read("a,x\x1b[2J\n1,2\nred\x1b[31m,2,\u202e3\n")
    assert [column.name for column in file.header.unread] == ["x\\x1b[2J"]
    assert sorted(rows) == [1]
    [batch] = read_text(opening("a\nred\x1b[31m,\u202e3\n"), ["a"], []).batches
    assert batch.ragged["value"].to_list() == ["red\\x1b[31m,\\u202e3"]


@settings(deadline=None)
@given(st.text(max_size=100) | st.text(st.characters(max_codepoint=0xA0), max_size=100))
def test_a_column_is_shown_as_each_of_its_texts_is(text: str) -> None:
    column = pl.Series("value", [text], dtype=pl.String).to_frame().select(shown(pl.col("value")))
    assert column.item() == shown_text(text)
    assert not any(unicodedata.category(letter) == "Cc" for letter in shown_text(text))


def test_unknown_columns_are_told_once_and_empty_names_not_at_all() -> None:
    unread = read("a,x,x,,y\n1,2,3,4,5\n")[2].header.unread
    assert [column.name for column in unread] == ["x", "y"]


def _refusal(content: bytes | str) -> RefusedFile:
    with pytest.raises(RefusedFile) as refused:
        read(content)
    return refused.value


@pytest.mark.parametrize(
    ("content", "cause", "said"),
    [
        (b"", Cause.EMPTY, "empty"),
        (b"\xef\xbb\xbf", Cause.EMPTY, "empty"),
        (b"\n \n", Cause.EMPTY, "empty"),
        (gzip.compress(b"", mtime=0), Cause.EMPTY, "empty"),
        (b"a,b,c\n", Cause.NO_ROWS, "a header and no rows"),
        (b"a,b,c", Cause.NO_ROWS, "a header and no rows"),
        (b"a,b,c\n\n,,\n", Cause.NO_ROWS, "a header and no rows"),
        (b"x,y\n1,2\n", Cause.MISSING_COLUMNS, "lacks the column a; it has: x, y"),
        (b'"","", ""\n1,2,3\n', Cause.MISSING_COLUMNS, 'lacks the column a; it is: "","", ""'),
        (b"sep=;\n", Cause.EMPTY, "empty"),
        (
            b"\xff,y\n1,2\n",
            Cause.MISSING_COLUMNS,
            "\u00ff, y; it is not UTF-8 and was read as Windows-1252, see line 1 (the header),",
        ),
        (b"a,b,c\n1,2,3\n\n4,5\0,6\n", Cause.NOT_TEXT, "the first in line 4 (row 3), byte 4: "),
        (b"a,\0b\n1,2,3\n", Cause.NOT_TEXT, "the first in line 1 (the header), byte 3: "),
        (
            b"a,b,c\n1,2,3\r\n\x81,\xff,3\n",
            Cause.ENCODING,
            "Windows-1252 text: see line 3 (row 2), byte 1; save",
        ),
        (
            b"a,b,c\n1,\xff,3\n\x81,2,3\n",
            Cause.ENCODING,
            "text: see line 2 (row 1), byte 3, and line 3 (row 2), byte 1; save it as CSV UTF-8",
        ),
        (b"a,b,c\n1,\x81,3\n\xc3", Cause.ENCODING, "see line 2 (row 1), byte 3; save"),
        (b"x\x1b[2J,y\n1,2\n", Cause.MISSING_COLUMNS, "it has: x\\x1b[2J, y"),
        (b"a,b,A\n1,2,3\n", Cause.DUPLICATE_COLUMNS, "twice: a; keep one of each"),
        (b'"a,b,c"\n"1,2,3"\n', Cause.MISSING_COLUMNS, "leave out the quotes around whole lines"),
        (b"x,1\na,2\nb,3\nc,4\n", Cause.MISSING_COLUMNS, "turn rows into columns"),
        (b"a,b,c\n1,\0,3\n", Cause.NOT_TEXT, "NUL bytes"),
        ("a,b,c\n1,2,3\n".encode("utf-16-le"), Cause.NOT_TEXT, "may be UTF-16 text; save it as"),
        ("a,b,c\n1,2,3\n".encode("utf-16-be"), Cause.NOT_TEXT, "may be UTF-16 text; save it as"),
        ("a,b,c\n1,2,3\n".encode("utf-32-le"), Cause.NOT_TEXT, "may be UTF-32 text; save it as"),
        ("a,b,c\n1,2,3\n".encode("utf-32-be"), Cause.NOT_TEXT, "may be UTF-32 text; save it as"),
        (b"PK\x03\x04rest", Cause.DAMAGED_ARCHIVE, "damaged or cut off"),
        ("a,b\n1,2\n".encode("utf-16"), Cause.NOT_TEXT, "UTF-16"),
        (gzip.compress(b"%PDF-1.7", mtime=0), Cause.NOT_TEXT, "a PDF"),
        (b"a,b,c\n\x81\xff,2,3\n", Cause.ENCODING, "neither UTF-8 nor Windows-1252"),
        (
            gzip.compress(b"a,b,c\n1,2,3\n" * 999, mtime=0)[:-9],
            Cause.DAMAGED_GZIP,
            "damaged or cut off",
        ),
        (b"\x1f\x8b\x08\x00no gzip at all", Cause.DAMAGED_GZIP, "damaged or cut off"),
        (b'a,b,c\n1,2,3\n1,"2,3\n', Cause.OPEN_QUOTES, "row 2 are never closed: close them"),
        (b'a,b,"c\n1,2,3\n', Cause.OPEN_QUOTES, "the header are never closed"),
        (b'a,b,c\n1,"' + b"x,\n" * 400_000, Cause.LINE_TOO_LONG, "row 1 is longer than"),
    ],
)
def test_a_bad_file_is_refused_in_a_sentence(content: bytes, cause: Cause, said: str) -> None:
    refusal = _refusal(content)
    assert refusal.cause is cause
    assert said in str(refusal)


class _Counted(io.BytesIO):
    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.count += len(piece)
        return piece


@pytest.mark.parametrize("packed", [gzip.compress, bytes])
def test_a_line_over_the_limit_is_refused_after_little_more(
    packed: Callable[[bytes], bytes],
) -> None:
    stream = _Counted(packed(b"a,b,c\n1,2,3\n" + b"x" * (20 * LINE_BYTES_MAX)))
    with pytest.raises(RefusedFile, match="longer than 1,048,576 bytes"):
        read_text(lambda: stream, ["a"], [])
    assert stream.count <= LINE_BYTES_MAX + 3 * READ_BYTES
    assert stream.closed


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("rows_before", [1, 100_000])
def test_the_line_over_the_limit_is_told_exactly(end: str, rows_before: int) -> None:
    lines = ["a,b,c", *(["1,2,3"] * rows_before), "x" * (LINE_BYTES_MAX + 1), "1,2,3", ""]
    content = end.join(lines)
    assert str(_refusal(content)).startswith(f"line {rows_before + 2:,} is longer than")


def test_line_ends_that_two_pieces_share_are_counted_once() -> None:
    content = b"a,b,c\r\n1,2,3\r\n" + b"x" * (LINE_BYTES_MAX + 1)
    with pytest.raises(RefusedFile, match=r"^line 3 is longer than"):
        read_text(lambda: _OneByteAtATime(content), ["a"], [])


def test_a_long_quoted_field_is_read_beside_untidy_quotes() -> None:
    field = "x" * 200_000 + '\n"' + "y" * 200_000
    quoted = '"' + field.replace('"', '""') + '"'
    rows, ragged, _ = read(f'a,b,c\n1,5" pipe,3\n{quoted},2,3\n')
    assert ragged == []
    assert rows == {1: ["1", '5" pipe', "3"], 2: [field, "2", "3"]}


def test_a_quote_that_is_never_closed_is_refused_with_its_row() -> None:
    content = 'a,b,c\n1,5" pipe,3\n"open,2,3\n' + "1,2,3\n" * (LINE_BYTES_MAX // 6)
    refusal = _refusal(content)
    assert refusal.cause is Cause.LINE_TOO_LONG
    assert str(refusal).startswith("row 2 is longer than 1,048,576 bytes: ")


def test_a_line_of_the_limit_is_read() -> None:
    rows, _, _ = read(b"a,b,c\n" + b"x" * (LINE_BYTES_MAX - 4) + b",2,3\n")
    assert len(rows[1][0]) == LINE_BYTES_MAX - 4


def test_a_quoted_row_over_the_limit_is_refused() -> None:
    fields = ",".join(f'"{"x" * 1_100}\n"' for _ in range(1_000))
    header = ",".join(["a", *(f"n{at}" for at in range(999))])
    assert "row 1 is longer than 1,048,576 bytes" in str(_refusal(f"{header}\n{fields}\n"))


def test_an_archive_made_to_expand_is_refused() -> None:
    bomb = gzip.compress(b"a,b,c\n" + b"1,2,3\n" * 100_000, mtime=0)
    with pytest.raises(RefusedFile, match="more than 10,000 bytes") as refused:
        read_text(opening(bomb), ["a"], [], bytes_max=10_000)
    assert refused.value.cause is Cause.TOO_LARGE


class _OneByteAtATime(io.BytesIO):
    def read(self, _size: int | None = -1, /) -> bytes:
        return super().read(1)


def test_a_source_that_gives_single_bytes_is_read_alike() -> None:
    content = '\ufeffa,b,c\r\n1,"é\r\n",3\r\n4,5,6'.encode()
    file = read_text(lambda: _OneByteAtATime(content), ["a"], ["b", "c"])
    rows = [row for batch in file.batches for row in batch.frame.rows()]
    assert rows == [(1, "1", "é\n", "3"), (2, "4", "5", "6")]


def test_rows_over_many_lines_do_not_gather_the_whole_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines_module, "BLOCK_ROWS", 4)
    content = b"a,b,c\n" + b'1,"x\n\n",3\n' * 100
    file = read_text(lambda: _OneByteAtATime(content), ["a"], [])
    heights = [batch.frame.height for batch in file.batches]
    assert sum(heights) == 100
    assert max(heights) <= 2


@pytest.mark.parametrize("header", [b"a,b,c", b"x,y,z"])
def test_both_sources_are_closed_whether_or_not_the_file_is_refused(header: bytes) -> None:
    opened: list[io.BytesIO] = []

    def open_file() -> io.BytesIO:
        opened.append(io.BytesIO(header + b"\n1,2,3\n"))
        return opened[-1]

    with contextlib.suppress(RefusedFile):
        list(read_text(open_file, ["a"], []).batches)
    assert [stream.closed for stream in opened] == [True, True]
