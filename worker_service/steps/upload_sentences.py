"""What an upload is told that it has done: in place of what, or that it changed nothing."""

from collections.abc import Sequence
from typing import Any

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.ledger.uploads import Published, Upload
from worker_service.steps.pluralize import pluralize

_TWINS_SHOWN = 3


def in_place_of(replaced: Upload | None) -> str:
    """What follows "300 rows accepted": ", in place of 2 rows of trips.csv (pipeline 8)"."""
    return f", in place of {named(replaced)}" if replaced else ""


def unchanged_sentence(there: Upload) -> str:
    """Where the identity holds the same rows already."""
    rows = "row is" if there.row_count == 1 else f"{there.row_count:,} rows are"
    since = f" since pipeline {there.pipeline_id}" if there.pipeline_id else " already"
    return f"The same {rows} there{since}; nothing was changed."


def twins_sentences(duplicates: Sequence[Upload]) -> list[str]:
    """What to do about the same rows under another identity; none where there are none."""
    if not duplicates:
        return []
    said = "; ".join(
        f"upload {one.upload_id}, {named(one)} {of_whom(one)}" for one in duplicates[:_TWINS_SHOWN]
    )
    more = len(duplicates) - _TWINS_SHOWN
    others = f", and {more:,} more" if more > 0 else ""
    command = f"carbonline withdraw {duplicates[0].upload_id}"
    return [
        f"The same rows count a second time: {said}{others}.",
        f"If that is not meant, take one back: {command}.",
    ]


def named(upload: Upload) -> str:
    """Such as "328,521 rows of trips.csv (pipeline 8)"."""
    file_name = f" of {shown_text(upload.file_name)}" if upload.file_name else ""
    pipeline = f" (pipeline {upload.pipeline_id})" if upload.pipeline_id else ""
    return f"{pluralize(upload.row_count, 'row')}{file_name}{pipeline}"


def upload_stats(upload_id: int, published: Published) -> dict[str, Any]:
    """For the job: which upload counts now, and which does not any more."""
    if published.unchanged is not None:
        stats: dict[str, Any] = {"upload_id": published.unchanged.upload_id, "unchanged": True}
    else:
        stats = {"upload_id": upload_id}
    if (gone := published.replaced) is not None:
        stats["replaced"] = {
            "upload_id": gone.upload_id,
            "pipeline_id": gone.pipeline_id,
            "file_name": gone.file_name,
            "rows": gone.row_count,
        }
    if published.duplicates:
        stats["same_rows_in_uploads"] = [one.upload_id for one in published.duplicates]
    return stats


def of_whom(upload: Upload) -> str:
    """Such as "for unit 0828 from source default"."""
    of = "all units" if upload.unit is None else f"unit {shown_text(upload.unit)}"
    return f"for {of} from source {upload.source}"
