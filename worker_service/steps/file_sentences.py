"""What a job's message says about a file as a whole, whatever became of its rows."""

from collections.abc import Mapping, Sequence

from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.csv_source.survey import UTF_8
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


def file_sentences(encoding: str, unread: Sequence[UnreadColumn]) -> list[str]:
    """Sentences about columns that were not read, and about an encoding that was guessed."""
    sentences = []
    if unread:
        # Probably misspelt columns come first.
        first = sorted(unread, key=lambda column: not column.near)[:COLUMNS_NAMED_MAX]
        named = ", ".join(str(column) for column in first)
        more = len(unread) - len(first)
        were = "column was" if len(unread) == 1 else "columns were"
        sentences.append(
            f"{len(unread):,} {were} not read: {named}{f' and {more:,} more' if more else ''}."
        )
    if encoding != UTF_8:
        sentences.append("It is not UTF-8 and was read as Windows-1252: save it as CSV UTF-8.")
    return sentences
