"""What an upload is told that it has done: in place of what, or that it changed nothing."""

from collections.abc import Sequence
from typing import Any

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.ledger.uploads import MostWouldGo, Published, Upload
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


def most_would_go_sentence(most: MostWouldGo, entries_without_kg: int = 0) -> str:
    """What a refused file would have taken the place of, and how to consent."""
    gone, contents = most.replaced, most.contents
    are = "row" if contents.row_count == 1 else "rows"
    kg = contents.total_kg
    there = named(gone)
    if kg is None or gone.total_kg is None:
        what = f"{contents.row_count:,} {are}"
    else:
        what = f"{contents.row_count:,} {are} ({kg:,.3f} kg)"
        there += f", {gone.total_kg:,.3f} kg"
    said = f"Nothing was changed, since less than half would be left: {what} in place of {there}."
    if entries_without_kg:
        have = "has" if entries_without_kg == 1 else "have"
        said += f" {pluralize(entries_without_kg, 'row')} {have} no kilograms."
    return said


def refused_stats(most: MostWouldGo) -> dict[str, Any]:
    """For the job: what its file would have replaced, and with what."""
    would = {"rows": most.contents.row_count, "total_kg": most.contents.total_kg}
    replaced = {**_stats_of(most.replaced), "total_kg": most.replaced.total_kg}
    return {"rows_accepted": 0, "would_count": would, "would_replace": replaced}


def upload_stats(published: Published) -> dict[str, Any]:
    """For the job: which upload counts now, and which does not any more."""
    stats: dict[str, Any] = {"upload_id": published.upload_id}
    if published.unchanged is not None:
        stats["unchanged"] = True
    if (gone := published.replaced) is not None:
        stats["replaced"] = _stats_of(gone)
    if published.duplicates:
        stats["same_rows_in_uploads"] = [one.upload_id for one in published.duplicates]
    return stats


def _stats_of(upload: Upload) -> dict[str, Any]:
    return {
        "upload_id": upload.upload_id,
        "pipeline_id": upload.pipeline_id,
        "file_name": upload.file_name,
        "rows": upload.row_count,
    }


def of_whom(upload: Upload) -> str:
    """Such as "for unit 0828 from source default"."""
    of = "all units" if upload.unit is None else f"unit {shown_text(upload.unit)}"
    return f"for {of} from source {upload.source}"
