"""Reads the files of rejected and doubtful rows."""

import csv
import io
from collections.abc import Iterable
from typing import TypeAlias

Rows: TypeAlias = list[dict[str, str]]

_REJECTED_ROW = "rejected_row"
FIELD_CHARACTERS_MAX = 1 << 20


def noted_rows(text: str) -> Iterable[dict[str, str]]:
    """The rows of such a file, with its columns as keys."""
    # Rejected rows keep the separator of their file. Doubtful rows are listed with commas.
    header = text.partition("\n")[0]
    before, found, _ = header.rpartition(_REJECTED_ROW)
    separator = before[-1:] if found and before else ","
    # A server accepts longer fields than the csv module reads by default.
    csv.field_size_limit(max(csv.field_size_limit(), FIELD_CHARACTERS_MAX))
    # Fields beyond the header have no key.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restkey="")
    return ({name: row[name] for name in reader.fieldnames or ()} for row in reader)
