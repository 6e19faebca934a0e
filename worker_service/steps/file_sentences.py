"""What a job's message says about a file as a whole, whatever became of its rows."""

from collections.abc import Mapping, Sequence

from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.csv_source.survey import FileEncoding
from worker_service.carbon.declarations import Column

COLUMNS_NAMED_MAX = 10


def defaults_used(unread: Sequence[UnreadColumn], columns: Sequence[Column]) -> dict[str, str]:
    """Values by column that each row has got because the file has another name for the column."""
    meant = {column.near for column in unread}
    return {
        column.name: str(column.default)
        for column in columns
        if column.name in meant and column.default is not None
    }


def default_sentences(defaults: Mapping[str, str]) -> list[str]:
    """What each value of `defaults_used` means for the rows."""
    return [
        f"The file has no column {name}, so it is {value} in each row."
        for name, value in defaults.items()
    ]


def unread_sentences(unread: Sequence[UnreadColumn]) -> list[str]:
    """A sentence about columns that were not read. Empty for none."""
    if not unread:
        return []
    # Probably misspelt columns come first.
    first = sorted(unread, key=lambda column: not column.near)[:COLUMNS_NAMED_MAX]
    named = ", ".join(str(column) for column in first)
    more = len(unread) - len(first)
    were = "column was" if len(unread) == 1 else "columns were"
    return [f"{len(unread):,} {were} not read: {named}{f' and {more:,} more' if more else ''}."]


def encoding_sentences(encoding: FileEncoding) -> list[str]:
    """A sentence about an encoding that was guessed. Empty for UTF-8."""
    said = encoding.sentence
    return [f"{said[0].upper()}{said[1:]}."] if said else []
