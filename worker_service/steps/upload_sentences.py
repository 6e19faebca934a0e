"""Sentences about an upload: what it replaced, or that it changed nothing."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from carbonline.pluralize import pluralize
from worker_service.carbon.csv_source.reason_columns import REASON_COLUMN, ROW_COLUMN
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.ledger.uploads import MendedRowsReplace, MostWouldGo, Published, Upload
from worker_service.steps.noted_rows import ended
from worker_service.steps.repeated_people import RepeatedPeople
from worker_service.steps.shared_rows import AllShared, SharedRows

_DUPLICATES_SHOWN = 3
_IN_STATS_MAX = 100


def in_place_of(replaced: Upload | None) -> str:
    """Such as ", in place of 2 rows of trips.csv (pipeline 8)". "" if nothing was replaced."""
    return f", in place of {named(replaced)}" if replaced else ""


def unchanged_sentence(there: Upload) -> str:
    """Such as "The same 2 rows were already loaded by pipeline 8; nothing was changed."."""
    rows = "row was" if there.row_count == 1 else f"{there.row_count:,} rows were"
    by = f" by pipeline {there.pipeline_id}" if there.pipeline_id else ""
    return f"The same {rows} already loaded{by}; nothing was changed."


def duplicate_sentences(duplicates: Sequence[Upload]) -> list[str]:
    """What to do about uploads with the same rows under another identity. Empty for none."""
    if not duplicates:
        return []
    uploads = "; ".join(
        f"upload {one.upload_id}, {named(one)} {of_whom(one)}"
        for one in duplicates[:_DUPLICATES_SHOWN]
    )
    more = len(duplicates) - _DUPLICATES_SHOWN
    others = f", and {more:,} more" if more > 0 else ""
    command = f"carbonline withdraw {duplicates[0].upload_id}"
    return [
        f"The same rows count a second time: {uploads}{others}.",
        f"If this is a mistake, withdraw one: {command}.",
    ]


def shared_sentences(found: AllShared, published: Published, row_count: int) -> list[str]:
    """What to do about rows of the new upload that others have, too. Empty for none.

    `published` is the new upload, which has `row_count` rows. Its duplicates are equal as a whole,
    and named elsewhere.
    """
    known = {one.upload_id for one in published.duplicates}
    others = [one for one in found.uploads if one.upload.upload_id not in known]
    if not others:
        return []
    said = "; ".join(map(_shared, others[:_DUPLICATES_SHOWN]))
    more = len(others) - _DUPLICATES_SHOWN
    beside = f"; and rows of {pluralize(more, 'other upload')}" if more > 0 else ""
    instead = _without_loss(others, published, row_count)
    pairs = sum(one.rows for one in found.uploads)
    where = [_where_listed(found.listed, pairs)] if pairs > len(found.uploads) else []
    return [
        f"Rows that other uploads have, too, count twice: {said}{beside}.",
        *where,
        f"If that is a mistake, leave them out of one file{instead}.",
    ]


def people_sentences(people: RepeatedPeople) -> list[str]:
    """What to do about people who are in another upload of their unit, too. Empty for none."""
    if not people.rows:
        return []
    row, column, _, reason = people.listed.row(0)
    many = people.rows > 1
    who = f"{people.rows:,} rows name people" if many else "1 row names a person"
    what = f"{who} of another upload, too"
    return [
        f"{what}; the first: row {row:,}, {column}: {reason}.",
        *([_where_listed(people.listed, people.rows)] if many else []),
        "If that is a mistake, leave them out of one file.",
    ]


def _where_listed(listed: pl.DataFrame, lines: int) -> str:
    """Where the rows are; the whole list has so many lines."""
    which = "them" if listed.height == lines else f"the first {listed['row'].n_unique():,}"
    return f"carbonline warnings lists {which}."


def _without_loss(shared: Sequence[SharedRows], published: Published, row_count: int) -> str:
    """Which upload may be withdrawn, since all of its rows count in another one. "" for none."""
    whole = [one.upload.upload_id for one in shared if one.is_whole]
    if not whole and any(one.rows == row_count for one in shared):
        whole = [published.upload_id]
    if not whole:
        return ""
    return (
        f", or withdraw upload {whole[0]}, which has no other rows: carbonline withdraw {whole[0]}"
    )


def _shared(one: SharedRows) -> str:
    """Such as "3 rows of upload 8, 40 rows of a.csv ..., the first: row 2, which is its row 7"."""
    upload = one.upload
    return (
        f"{pluralize(one.rows, 'row')} of upload {upload.upload_id}, {named(upload)}"
        f" {of_whom(upload)}; the first: row {one.row:,}, identical to its row {one.other_row:,}"
    )


def named(upload: Upload) -> str:
    """Such as "328,521 rows of trips.csv (pipeline 8)"."""
    file_name = f" of {shown_text(upload.file_name)}" if upload.file_name else ""
    pipeline = f" (pipeline {upload.pipeline_id})" if upload.pipeline_id else ""
    return f"{pluralize(upload.row_count, 'row')}{file_name}{pipeline}"


def most_would_go_sentence(
    most: MostWouldGo, entries_without_kg: int = 0, first_reason: str = ""
) -> str:
    """What a refused file would have replaced, and why its first row without kilograms has none."""
    gone, contents = most.replaced, most.contents
    are = "row" if contents.row_count == 1 else "rows"
    kg = contents.total_kg
    there = named(gone)
    if kg is None or gone.total_kg is None:
        what = f"{contents.row_count:,} {are}"
    else:
        what = f"{contents.row_count:,} {are} ({kg:,.3f} kg)"
        there += f", {gone.total_kg:,.3f} kg"
    sentence = (
        f"Nothing was changed, since less than half would be left: {what} in place of {there}."
    )
    if entries_without_kg:
        have = "has" if entries_without_kg == 1 else "have"
        rows = pluralize(entries_without_kg, "row")
        sentence += f" {rows} {have} no kilograms; the first: {ended(first_reason)}"
    return sentence


def mended_rows_replace_sentences(mended: MendedRowsReplace) -> list[str]:
    """What a refused file of mended rows would have replaced, and how to add the rows instead."""
    gone = mended.replaced
    what = (
        "Nothing was changed: the file has only rows that were rejected (it has the column"
        f" {ROW_COLUMN} or {REASON_COLUMN}), and {named(gone)} would be removed."
    )
    source = _argument(gone.source)
    return [what, f"To add the rows, give them a source of their own: --source {source}."]


def _argument(source: str) -> str:
    name = f"{shown_text(source)}_mended"
    return f'"{name}"' if " " in name else name


def refused_stats(most: MostWouldGo) -> dict[str, Any]:
    """The stats of a job whose file was refused: what it would have replaced, and with what."""
    would = {"rows": most.contents.row_count, "total_kg": most.contents.total_kg}
    replaced = {**stats_of_upload(most.replaced), "total_kg": most.replaced.total_kg}
    return {"rows_accepted": 0, "would_count": would, "would_replace": replaced}


def upload_stats(published: Published, beside: AllShared) -> dict[str, Any]:
    """The job's stats: which upload counts now, which no longer does, and which have its rows."""
    stats: dict[str, Any] = {"upload_id": published.upload_id}
    if published.unchanged is not None:
        stats["unchanged"] = True
    if (gone := published.replaced) is not None:
        stats["replaced"] = stats_of_upload(gone)
    if published.duplicates:
        stats["same_rows_in_uploads"] = [one.upload_id for one in published.duplicates]
    return stats | shared_stats(beside)


def shared_stats(beside: AllShared) -> dict[str, Any]:
    """Which rows and people an upload has in common with others. Empty for none."""
    stats: dict[str, Any] = {}
    if beside.people.rows:
        stats["people_in_other_uploads"] = beside.people.rows
    if beside.uploads:
        stats["shared_rows"] = [
            {
                "upload_id": one.upload.upload_id,
                "rows": one.rows,
                "row": one.row,
                "other_row": one.other_row,
            }
            for one in beside.uploads[:_IN_STATS_MAX]
        ]
    return stats


def stats_of_upload(upload: Upload) -> dict[str, Any]:
    """An upload as the stats of a job name it."""
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
