"""What an ingest says of a file and its rows, kept for when the same file comes again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from worker_service.steps.noted_rows import KeptRows, RowNotes

# Where more was said, the file is read again.
ANSWER_BYTES_MAX = 128 << 10


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """The stats and sentences of a file that was read, and its rejected and its warned rows.

    `unread` are sentences about columns, `remarks` about rows together, `of_file` about the whole.
    """

    stats: Mapping[str, Any]
    unread: Sequence[str]
    remarks: Sequence[str]
    of_file: Sequence[str]
    rejected: KeptRows
    warned: KeptRows

    def as_text(self) -> str | None:
        """As it is kept. None if it is too long."""
        text = json.dumps(asdict(self))
        return text if len(text) <= ANSWER_BYTES_MAX else None


def answer_of_file(
    stats: Mapping[str, Any],
    unread: Sequence[str],
    remarks: Sequence[str],
    of_file: Sequence[str],
    notes: RowNotes,
) -> FileAnswer:
    """What is said, after `notes` were kept. Their stats are left out, since they have it all."""
    noted = notes.stats()
    of_reading = {name: value for name, value in stats.items() if name not in noted}
    return FileAnswer(of_reading, unread, remarks, of_file, notes.rejected.kept, notes.warned.kept)


def kept_answer(text: str) -> FileAnswer:
    """What `as_text` gave."""
    kept = json.loads(text)
    rejected, warned = (KeptRows(**kept.pop(noun)) for noun in ("rejected", "warned"))
    return FileAnswer(**kept, rejected=rejected, warned=warned)
