"""Why a file as a whole is refused."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any


class Cause(StrEnum):
    """What is wrong with the file, as a stable identifier."""

    EMPTY = "empty"
    NO_ROWS = "no_rows"
    NOT_TEXT = "not_text"
    ENCODING = "encoding"
    DAMAGED_GZIP = "damaged_gzip"
    DAMAGED_ARCHIVE = "damaged_archive"
    ERROR_CELLS = "error_cells"
    NO_SHEET = "no_sheet"
    SEVERAL_SHEETS = "several_sheets"
    SEVERAL_FILES = "several_files"
    TOO_LARGE = "too_large"
    LINE_TOO_LONG = "line_too_long"
    OPEN_QUOTES = "open_quotes"
    MISSING_COLUMNS = "missing_columns"
    DUPLICATE_COLUMNS = "duplicate_columns"
    MIXED_SEPARATORS = "mixed_separators"
    CONTRADICTION = "contradiction"
    MAPPING = "mapping"


# Twice what a sheet of a spreadsheet has. More are no table, and a small archive may hold many.
# Empty lines are passed over, and count for nothing: a part of a divided file has one for each row
# of another type.
BLANK_ROWS_MAX = 2_000_000


def too_many_blank() -> "RefusedFile":
    """The refusal of a file with more blank rows than BLANK_ROWS_MAX."""
    return RefusedFile(
        Cause.TOO_LARGE, f"the file has more than {BLANK_ROWS_MAX:,} blank rows: remove them"
    )


class RefusedFile(Exception):
    """Nothing of the file can be used. The message is a sentence for the user.

    If the header lacks columns, `missing` are these, and `names` those that it has. `proposal` is
    how the file might be read: `mapping` and `sheet`, as a payload has them.
    """

    def __init__(
        self,
        cause: Cause,
        message: str,
        *,
        missing: Collection[str] = (),
        names: Collection[str] = (),
        proposal: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.missing = tuple(missing)
        self.names = tuple(names)
        self.proposal = proposal or {}

    def with_more(self, words: str) -> "RefusedFile":
        """The same refusal, with more at the end of its sentence."""
        return self._as(f"{self}; {words}", self.proposal)

    def proposing(self, proposal: Mapping[str, Any]) -> "RefusedFile":
        """The same refusal, with how the file might be read."""
        return self._as(str(self), proposal)

    def _as(self, message: str, proposal: Mapping[str, Any]) -> "RefusedFile":
        return RefusedFile(
            self.cause, message, missing=self.missing, names=self.names, proposal=proposal
        )
