"""Numbers that their comma may have cut: 1,000 read as 1, with 000 in the column behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.header import Header
from worker_service.carbon.csv_source.shown import shown, shown_text
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.parse.rows import merged_rejections

_NUMBERS = (ColumnKind.NUMBER, ColumnKind.INTEGER)
_WHOLE = r"^[+-]?\d{1,3}$"
# What stands before a group of thousands.
_LEADING = r"^[+-]?[1-9]\d{0,2}$"
# As 1.234 of 1.234,56.
_WITH_POINTS = r"^[+-]?\d{1,3}(\.\d{3})+$"
_GROUP = r"^\d{3}$"
# As 234.56 of 1,234.56.
_GROUP_AND_DECIMALS = r"^\d{3}\.\d+$"
_OF_THOUSANDS = r"^0\d{2}(\.\d+)?$"
# Notes of more digits are rather numbers of tickets, but for coordinates.
_DECIMALS = r"^\d{1,3}$"
_DIGITS = r"^\d+$"
# Who writes thousands without a comma cuts none.
_THOUSANDS = r"^[+-]?\d{4,}"
_THOUSAND = 1_000
_WITH_DECIMALS = r"^[+-]?\d+\.(\d{1,2}|\d{4,})$"


@dataclass(frozen=True, slots=True)
class _Seam:
    """A column of numbers, and the one behind it: None if that is not read."""

    column: Column
    behind: Column | None
    head: pl.Expr
    tail: pl.Expr
    # The field behind `tail`, if the header has one.
    beyond: pl.Expr | None
    name: str

    @property
    def has_decimals(self) -> bool:
        return self.column.kind is ColumnKind.NUMBER

    @property
    def has_thousands(self) -> bool:
        """Whether a number of the column may be a thousand or more."""
        return self.column.maximum is None or self.column.maximum >= _THOUSAND

    @property
    def thousands(self) -> pl.Expr:
        """Whether both fields are a plausible number of thousands together."""
        digits = pl.concat_str(self.head, self.tail).str.replace_all(r"[+-]", "")
        most = self.column.plausible_maximum
        is_plausible = True if most is None else digits.cast(pl.Float64, strict=False) <= most
        return self.head.str.contains(_LEADING) & is_plausible


class CutNumbers:
    """Looks at batch after batch. Where the column behind usually holds numbers or names, too, the
    other rows must speak for a cut: those of the batch, and of the batches before.
    """

    def __init__(self, header: Header, columns: Sequence[Column]) -> None:
        """`columns` are those that are read."""
        at = header.positions
        known = {at[one.name]: one for one in columns if one.name in at}
        places = known if header.separator == "," and not header.of_cells else ()
        seams = [_seam(place, known, header) for place in places]
        self._seams = [_Evidence(seam) for seam in seams if seam is not None]

    def found(self, raw: pl.DataFrame, accepted: pl.DataFrame) -> pl.DataFrame:
        """row, column, value, reason of `accepted` rows with such a number, with all readings.

        raw: columns "0", "1", ... as in the file, row_number.
        """
        found = []
        for evidence in self._seams:
            seam = evidence.seam
            rows = raw.filter(evidence.is_cut(raw).fill_null(value=False))
            if not rows.is_empty():
                found.append(
                    rows.join(accepted, on="row_number", how="semi").select(
                        pl.col("row_number").cast(pl.Int64).alias("row"),
                        pl.lit(seam.column.name).alias("column"),
                        shown(pl.concat_str(seam.head, seam.tail, separator=",")).alias("value"),
                        _reason(seam).alias("reason"),
                    )
                )
        return merged_rejections(found)


def _seam(at: int, known: Mapping[int, Column], header: Header) -> _Seam | None:
    column, behind = known[at], known.get(at + 1)
    if column.kind not in _NUMBERS or at + 1 >= header.width or at + 1 in header.of_reasons:
        return None
    if behind is not None and behind.kind not in (*_NUMBERS, ColumnKind.TEXT):
        return None
    head, tail = (_field(place) for place in (at, at + 1))
    beyond = _field(at + 2) if at + 2 < header.width else None
    name = shown_text(header.written_names[at + 1])
    return _Seam(column, behind, head, tail, beyond, name or "the next column")


def _field(place: int) -> pl.Expr:
    return pl.col(str(place)).str.strip_chars()


@dataclass(slots=True)
class _Evidence:
    """What the rows of a file say about a seam so far."""

    seam: _Seam
    others_are_whole: bool = False
    others_are_names: bool = False
    others_are_alike: bool = False
    others_have_points: bool = False
    others_have_thousands: bool = False
    has_rows_before: bool = False

    def is_cut(self, raw: pl.DataFrame) -> pl.Expr:
        """Whether a row is cut there; `raw` are the next rows."""
        seam = self.seam
        tail, behind = seam.tail, seam.behind
        if behind is not None and behind.kind in _NUMBERS:
            are_groups = self._are_groups(raw) or self._all_are_groups(raw)
            is_cut = _is_cut_into_numbers(seam, are_groups=are_groups)
            return is_cut | _is_implausible_behind(seam, behind)
        can_be = _can_be_one_number(seam)
        # No name and no id is written so.
        is_certain = tail.str.contains(_GROUP_AND_DECIMALS)
        if behind is None:
            # Columns that are not read may hold any digits.
            plain = tail.str.contains(_DIGITS) & seam.head.str.contains(_WHOLE)
            is_certain |= tail.str.contains(_OF_THOUSANDS) | ~plain
            return can_be & (is_certain | pl.lit(self._are_groups(raw)))
        if behind.required:
            has_letters = raw.select(tail.str.contains(r"\p{L}").any()).item()
            self.others_are_names |= bool(has_letters)
            are_rests = self._all_are_groups(raw) or self._groups_are_longer(raw)
            is_rest = tail.str.contains(_GROUP) & seam.thousands & are_rests
            return can_be & (is_certain | pl.lit(self.others_are_names) | is_rest)
        return can_be & (is_certain | self._may_be_rest(raw))

    def _may_be_rest(self, raw: pl.DataFrame) -> pl.Expr:
        """Whether digits behind may belong to the number: not where other numbers of the column
        have their decimals behind a point, and no comma in their thousands.
        """
        head, seam = self.seam.head, self.seam
        points = head.str.contains(_WITH_DECIMALS).any()
        said = raw.select(points, head.str.contains(_THOUSANDS).any().alias("thousands")).row(0)
        self.others_have_points |= bool(said[0])
        self.others_have_thousands |= bool(said[1])
        no_decimals = not seam.has_decimals or self.others_have_points
        if not no_decimals or not seam.has_thousands:
            return pl.lit(value=True)
        is_group = seam.tail.str.contains(_GROUP) & pl.lit(not self.others_have_thousands)
        return is_group | head.str.contains(_WITH_POINTS)

    def _are_groups(self, raw: pl.DataFrame) -> bool:
        """Whether all fields behind are groups of three digits behind whole numbers, or empty, and
        some are empty; and no row before said otherwise.
        """
        if not self.seam.has_decimals:
            return False
        head, tail = self.seam.head.fill_null(""), self.seam.tail.fill_null("")
        is_group = tail.str.contains(_GROUP) | tail.str.contains(_GROUP_AND_DECIMALS)
        fits, empty = is_group & self.seam.thousands, tail == ""
        has_thousand = head.str.contains(_THOUSANDS)
        of_rows = raw.select(
            whole=(has_thousand | ~(fits | empty)).any(), some=empty.any() & fits.any()
        ).row(0)
        self.others_are_whole |= bool(of_rows[0])
        return not self.others_are_whole and bool(of_rows[1])

    def _all_are_groups(self, raw: pl.DataFrame) -> bool:
        """Whether the only row of the file is a group of thousands behind a whole number, or all
        rows are, where counts of three digits stand behind.
        """
        seam = self.seam
        is_group = raw.select(_is_group(seam).all()).item()
        self.others_are_whole |= not is_group
        is_count = seam.behind is not None and seam.behind.kind is ColumnKind.INTEGER
        is_alone = raw.height == 1 and not self.has_rows_before
        self.has_rows_before = True
        return not self.others_are_whole and seam.has_decimals and (is_alone or is_count)

    def _groups_are_longer(self, raw: pl.DataFrame) -> bool:
        """Whether the rows with a group of thousands are those with one more field than others."""
        beyond, seam = self.seam.beyond, self.seam
        if beyond is None or not seam.has_decimals:
            return False
        is_longer = beyond.fill_null("") != ""
        self.others_are_alike |= not raw.select((_is_group(seam) == is_longer).all()).item()
        return not self.others_are_alike


def _is_group(seam: _Seam) -> pl.Expr:
    is_group = seam.tail.str.contains(_GROUP) & seam.thousands
    return is_group.fill_null(value=False)


def _can_be_one_number(seam: _Seam) -> pl.Expr:
    """Whether both fields together are written as numbers are."""
    head, tail = seam.head, seam.tail
    is_whole = head.str.contains(_WHOLE)
    if not seam.has_decimals:
        return is_whole & tail.str.contains(_GROUP)
    if not seam.has_thousands:
        return is_whole & tail.str.contains(_DIGITS)
    return (is_whole & (tail.str.contains(_DECIMALS) | tail.str.contains(_GROUP_AND_DECIMALS))) | (
        head.str.contains(_WITH_POINTS) & tail.str.contains(_DECIMALS)
    )


def _is_implausible_behind(seam: _Seam, behind: Column) -> pl.Expr:
    """Whether the number behind is implausible in its column, or a needed number would be 0."""
    head, tail = seam.head, seam.tail
    if not seam.has_decimals:
        return pl.lit(value=False)
    is_nothing = (head == "0") & tail.str.contains(r"[1-9]") & seam.column.required
    if behind.plausible_maximum is not None:
        rest = tail.cast(pl.Float64, strict=False)
        is_nothing |= head.str.contains(_WHOLE) & (rest > behind.plausible_maximum)
    return is_nothing & tail.str.contains(_DECIMALS)


def _is_cut_into_numbers(seam: _Seam, *, are_groups: bool) -> pl.Expr:
    """Before a column of numbers: no number begins with a 0, and where each row with something
    there has three digits behind at most three, no row has a thousand, and some have nothing, these
    are thousands. The bounds of bands are not, since the first band begins with 0.
    """
    head, tail = seam.head, seam.tail
    is_group = tail.str.contains(_GROUP) | tail.str.contains(_GROUP_AND_DECIMALS)
    is_said = pl.lit(are_groups and seam.has_thousands)
    is_rest = tail.str.contains(_OF_THOUSANDS) | (seam.thousands & is_said)
    return head.str.contains(_LEADING) & is_group & is_rest


def _reason(seam: _Seam) -> pl.Expr:
    head, tail = seam.head, seam.tail
    thousands = pl.format("{}{} if its comma separates thousands", head, tail)
    decimals = pl.format("{}.{} if its comma is a decimal one", head, tail)
    points = pl.format(
        "{}.{} if its points separate thousands and its comma is a decimal one",
        *(head.str.replace_all(".", "", literal=True), tail),
    )
    either = pl.concat_str(thousands, decimals, separator=", or ")
    is_whole = pl.lit(not seam.has_decimals)
    meant = (
        pl.when(head.str.contains(".", literal=True))
        .then(points)
        .when(is_whole | tail.str.contains(".", literal=True))
        .then(thousands)
        .when(seam.thousands & pl.lit(seam.has_thousands) & (tail.str.len_chars() == 3))
        .then(either)
        .otherwise(decimals)
    )
    read = pl.format("and was read as {}, with {} in {}", head, tail, pl.lit(seam.name))
    return pl.format("is {}, {}: write the number without a comma", meant, read)
