"""What a job's message says about a file as a whole, however its rows fared."""

from collections.abc import Sequence

from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.csv_source.survey import UTF_8

COLUMNS_NAMED_MAX = 10


def file_sentences(encoding: str, unread: Sequence[UnreadColumn]) -> list[str]:
    """Columns that were not read, and that letters may have been guessed wrong."""
    said = []
    if unread:
        # Those that a slip of the pen keeps from being read come first.
        first = sorted(unread, key=lambda column: not column.near)[:COLUMNS_NAMED_MAX]
        named = ", ".join(str(column) for column in first)
        more = len(unread) - len(first)
        were = "column was" if len(unread) == 1 else "columns were"
        said.append(
            f"{len(unread):,} {were} not read: {named}{f' and {more:,} more' if more else ''}."
        )
    if encoding != UTF_8:
        said.append("It is not UTF-8 and was read as Windows-1252: save it as CSV UTF-8.")
    return said
