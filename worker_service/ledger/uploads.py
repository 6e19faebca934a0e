"""Publishes an upload in place of the one that it replaces, and withdraws uploads."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from shlex import quote
from typing import Any, ClassVar, TypeAlias

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.parse.values import comparison_key
from worker_service.ledger.entry_sets import DEFAULT_SOURCE, NewSet
from worker_service.ledger.errors import PublicationMismatch
from worker_service.ledger.pool import Connection

# Of one type and year: the upload that the new one replaces, and those with the same rows.
LIKE_IT = """
SELECT s.entry_set AS upload_id, s.pipeline_id, s.file_name, s.unit, s.source_name AS source,
    s.row_count, s.unit IS NOT DISTINCT FROM $4 AND s.source_name = $5 AS is_replaced,
    s.content_digest IS NOT DISTINCT FROM $6 AND $6 <> '' AS has_same_rows, e.total_kg
FROM carbon.entry_sets AS s
LEFT JOIN LATERAL (
    SELECT c.total_kg
    FROM carbon.emission_sets AS c
    WHERE c.tenant = s.tenant AND c.entry_set = s.entry_set AND c.state <> 'LOADING'
    ORDER BY c.emission_set DESC
    LIMIT 1
) AS e ON true
WHERE s.tenant = $1 AND s.data_entry_type = $2 AND s.year = $3 AND s.state = 'PUBLISHED'
    AND ((s.unit IS NOT DISTINCT FROM $4 AND s.source_name = $5) OR s.content_digest = $6)
ORDER BY s.entry_set
"""
# What an upload took the place of when it was published.
REPLACED_BY = """
SELECT entry_set AS upload_id, pipeline_id, file_name, unit, source_name AS source, row_count
FROM carbon.entry_sets
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND state = 'RETIRED' AND retired_by = $4
"""
RETIRE = """
UPDATE carbon.entry_sets
SET state = 'RETIRED', retired_at = carbon.clock(), retired_by = $3, retired_by_pipeline = $4,
    reading = NULL
WHERE tenant = $1 AND entry_set = $2 AND state = 'PUBLISHED'
"""
PUBLISH = """
UPDATE carbon.entry_sets
SET state = 'PUBLISHED', published_at = carbon.clock(), row_count = $3, last_row_number = $4,
    content_digest = nullif($5, ''), rows_rejected = $6, rows_warned = $7, reading = $8
WHERE tenant = $1 AND entry_set = $2 AND state = 'LOADING'
"""
# Another file came to the same rows, or another release has read it. Who repeats it is told of rows
# by the numbers that the upload has: they are those of this file if neither leaves a number out.
READ_ANEW = """
UPDATE carbon.entry_sets SET reading = $3
WHERE tenant = $1 AND entry_set = $2 AND reading IS DISTINCT FROM $3
    AND last_row_number = row_count AND row_count = $4
"""
# The upload that the new one would replace, if its file was read in the same way.
READ_BEFORE = """
SELECT entry_set AS upload_id, row_count, last_row_number, content_digest, reading
FROM carbon.entry_sets
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND state = 'PUBLISHED'
    AND unit IS NOT DISTINCT FROM $4 AND source_name = $5
    AND reading ->> 'key' = $6 AND pipeline_id <> $7 AND content_digest IS NOT NULL
"""

# In any state but LOADING, with the upload that has replaced it.
FIND = """
SELECT s.entry_set AS upload_id, s.pipeline_id, s.file_name, s.unit, s.source_name AS source,
    s.row_count, s.state = 'PUBLISHED' AS counts, s.retired_at, s.retired_by_pipeline,
    s.module = $3 AND s.data_entry_type = $4 AND s.year = $5 AS is_of_scope,
    n.entry_set AS next_upload_id, n.file_name AS next_file_name, n.pipeline_id AS next_pipeline_id
FROM carbon.entry_sets AS s
LEFT JOIN carbon.entry_sets AS n ON n.tenant = s.tenant AND n.entry_set = s.retired_by
WHERE s.tenant = $1 AND s.entry_set = $2 AND s.state <> 'LOADING'
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What was loaded. Equal `digest`s mean equal rows; "" means unknown.

    `total_kg` is what its entries come to, in kg CO2eq, or None if unknown. `is_mended`: they are
    rows that another upload had rejected. `reading` is None if a repeated upload is to be read.
    """

    row_count: int
    last_row_number: int
    digest: str = ""
    rows_rejected: int = 0
    rows_warned: int = 0
    total_kg: float | None = None
    is_mended: bool = False
    reading: "Reading | None" = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What decides the rows that a file comes to, as one `key`; and the `answer` to it.

    The second is a text, of which the ledger reads nothing.
    """

    key: str
    answer: str


@dataclass(frozen=True, slots=True)
class ReadBefore:
    """What a file came to that was read before and counts: `contents`, as `upload_id`."""

    upload_id: int
    contents: Contents
    reading: Reading


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that counts or has counted. `unit` is None for a file of all units.

    `total_kg` is what the last recalculation gave, in kg CO2eq, or None before the first.
    """

    upload_id: int
    pipeline_id: int | None
    file_name: str
    unit: str | None
    source: str
    row_count: int
    total_kg: float | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing an upload did. `upload_id` is the upload that counts now.

    `unchanged` is an upload of the same identity with the same rows, brought by another pipeline:
    then nothing was done. Else `replaced`, if any, no longer counts. `duplicates` are other uploads
    with the same rows, which count too.
    """

    upload_id: int
    unchanged: Upload | None = None
    replaced: Upload | None = None
    duplicates: Sequence[Upload] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Which upload to withdraw. Module, type and year must be those of the upload, and so must the
    unit, unless it is None: whoever named one may not reach into others.
    """

    tenant: str
    upload_id: int
    module: int
    data_entry_type: int
    year: int
    pipeline_id: int
    unit: str | None = None


class MostWouldGo(Exception):
    """Less than half of the rows or kilograms of `replaced` would be left."""

    cause: ClassVar[str] = "most_would_go"

    def __init__(self, replaced: Upload, contents: Contents) -> None:
        super().__init__(f"upload {replaced.upload_id} would lose more than half")
        self.replaced = replaced
        self.contents = contents


class MendedRowsReplace(Exception):
    """The file has only rows that were rejected before, and would replace `replaced`."""

    cause: ClassVar[str] = "mended_rows_replace"

    def __init__(self, replaced: Upload) -> None:
        super().__init__(f"upload {replaced.upload_id} would be replaced by corrected rows")
        self.replaced = replaced


Refused: TypeAlias = MostWouldGo | MendedRowsReplace


class UploadNotFound(Exception):
    """No such upload counts. The message says what became of it."""


def source_key(source: str) -> str:
    """The name of a source as it is stored and compared. "default" for an empty one."""
    return comparison_key(source.strip()) or DEFAULT_SOURCE


async def upload_in_place_of(conn: Connection, new: NewSet) -> Upload | None:
    """The upload that publishing the set would replace at this moment. None if there is none."""
    found = await conn.fetch(LIKE_IT, *_identity(new), "")
    return next((_upload(row) for row in found if row["is_replaced"]), None)


async def read_before(conn: Connection, new: NewSet, key: str) -> ReadBefore | None:
    """What the file came to if the upload that it would replace has the same `Reading.key`.

    None for an upload of the same pipeline: that is an earlier attempt of the same job.
    """
    row = await conn.fetchrow(READ_BEFORE, *_identity(new), key, new.pipeline_id)
    if row is None:
        return None
    reading = Reading(**row["reading"])
    contents = Contents(
        row["row_count"], row["last_row_number"], row["content_digest"], reading=reading
    )
    return ReadBefore(row["upload_id"], contents, reading)


async def has_same_rows(conn: Connection, new: NewSet, digest: str) -> bool:
    """Whether the upload that publishing the set would replace at this moment has these rows."""
    found = await conn.fetch(LIKE_IT, *_identity(new), digest)
    return any(row["is_replaced"] and row["has_same_rows"] for row in found)


async def foreseen(
    conn: Connection, new: NewSet, contents: Contents, *, may_take_most: bool = False
) -> Published:
    """What `publish_upload` would do at this moment. Changes nothing, and raises as it does."""
    found = await conn.fetch(LIKE_IT, *_identity(new), contents.digest)
    duplicates = tuple(_upload(row) for row in found if not row["is_replaced"])
    here = next((row for row in found if row["is_replaced"]), None)
    if here is not None and here["has_same_rows"]:
        return await _there_already(conn, new, _upload(here), duplicates)
    replaced = None if here is None else _upload(here)
    refusal = None if replaced is None or may_take_most else refusal_of(replaced, contents)
    if refusal is not None:
        raise refusal
    return Published(new.entry_set, replaced=replaced, duplicates=duplicates)


async def publish_upload(
    conn: Connection, new: NewSet, contents: Contents, *, may_take_most: bool = False
) -> Published:
    """Makes a set count in place of the upload with the same identity.

    The identity is tenant, type, year, unit (or all units), and source. If that upload has the same
    rows, nothing changes. Unless `may_take_most`, raises MendedRowsReplace if mended rows would
    replace it, and MostWouldGo if less than half of its rows or kilograms would be left. Call it
    within a publication.
    """
    # Behind the fence, so that what is found here is what is replaced.
    published = await foreseen(conn, new, contents, may_take_most=may_take_most)
    if published.upload_id != new.entry_set:
        if contents.reading is not None:
            read = asdict(contents.reading)
            last = contents.last_row_number
            await conn.execute(READ_ANEW, new.tenant, published.upload_id, read, last)
        return published
    if (here := published.replaced) is not None:
        gone = (new.tenant, here.upload_id, new.entry_set, new.pipeline_id)
        retired = await conn.execute(RETIRE, *gone)
        _must_be_one(retired, f"upload {here.upload_id} is not retired")
    done = await conn.execute(
        PUBLISH,
        new.tenant,
        new.entry_set,
        contents.row_count,
        contents.last_row_number,
        contents.digest,
        contents.rows_rejected,
        contents.rows_warned,
        contents.reading and asdict(contents.reading),
    )
    _must_be_one(done, f"set {new.entry_set} cannot be published")
    return published


def refusal_of(replaced: Upload, contents: Contents) -> Refused | None:
    """Why the contents may take the place of an upload only with consent. None if they may."""
    if contents.is_mended:
        return MendedRowsReplace(replaced)
    if takes_most(replaced, contents):
        return MostWouldGo(replaced, contents)
    return None


def takes_most(replaced: Upload, contents: Contents) -> bool:
    """Whether less than half of the rows, or of the kilograms if both are known, would be left."""
    if 2 * contents.row_count < replaced.row_count:
        return True
    if contents.total_kg is None or replaced.total_kg is None:
        return False
    return 2 * contents.total_kg < replaced.total_kg


async def _there_already(
    conn: Connection, new: NewSet, here: Upload, duplicates: Sequence[Upload]
) -> Published:
    if here.pipeline_id is None or here.pipeline_id != new.pipeline_id:
        return Published(here.upload_id, unchanged=here, duplicates=duplicates)
    # An earlier attempt of this job published them and ended before it could say what it replaced.
    of = (new.tenant, new.data_entry_type, new.year, here.upload_id)
    gone = await conn.fetchrow(REPLACED_BY, *of)
    replaced = None if gone is None else _upload(gone)
    return Published(here.upload_id, replaced=replaced, duplicates=duplicates)


async def withdraw_upload(conn: Connection, of: Withdrawal, claim_token: int) -> Upload:
    """Withdraws an upload. Call it within a publication. Raises UploadNotFound.

    Succeeds too if an earlier attempt of the same pipeline has withdrawn it.
    """
    row = await conn.fetchrow(FIND, of.tenant, of.upload_id, of.module, of.data_entry_type, of.year)
    if row is None or not row["is_of_scope"] or not _is_of_unit(row["unit"], of.unit):
        raise UploadNotFound(_unknown(of))
    upload = _upload(row)
    if row["counts"]:
        done = await conn.execute(RETIRE, of.tenant, of.upload_id, claim_token, of.pipeline_id)
        _must_be_one(done, f"upload {of.upload_id} is not retired")
        return upload
    if row["next_upload_id"] is None and row["retired_by_pipeline"] == of.pipeline_id:
        return upload
    raise UploadNotFound(_what_became_of(row))


def _is_of_unit(unit: str | None, wanted: str | None) -> bool:
    if wanted is None:
        return True
    return unit is not None and comparison_key(unit) == comparison_key(wanted.strip())


def _unknown(of: Withdrawal) -> str:
    """The same for an upload of another unit as for none: the caller may see neither."""
    listed = f"carbonline uploads --year {of.year}"
    if of.unit is None:
        which = "type and year"
    else:
        unit = shown_text(of.unit)
        which = f"type, year and unit ({unit})"
        listed += f" --unit {quote(unit)}"
    return f"There is no upload {of.upload_id} of this {which}: `{listed}` lists those that count."


def _must_be_one(done: str, otherwise: str) -> None:
    # Raised, because Python leaves an assert out where it is told to optimise.
    if done != "UPDATE 1":
        raise PublicationMismatch(f"{otherwise}: {done}")


def _what_became_of(row: Any) -> str:
    when = f"{row['retired_at']:%Y-%m-%d %H:%M:%S} UTC"
    start = f"Upload {row['upload_id']} no longer counts"
    if row["next_upload_id"] is None:
        by = f" by pipeline {row['retired_by_pipeline']}" if row["retired_by_pipeline"] else ""
        return f"{start}: it was withdrawn{by} at {when}."
    name = f" of {shown_text(row['next_file_name'])}" if row["next_file_name"] else ""
    pipeline = f" (pipeline {row['next_pipeline_id']})" if row["next_pipeline_id"] else ""
    return (
        f"{start}: upload {row['next_upload_id']}{name}{pipeline} has replaced it at {when}."
        " Withdraw that one if it is the one you mean."
    )


def _identity(new: NewSet) -> tuple[str, int, int, str | None, str]:
    return new.tenant, new.data_entry_type, new.year, new.unit, new.source


def _upload(row: Any) -> Upload:
    return Upload(
        row["upload_id"],
        row["pipeline_id"],
        row["file_name"],
        row["unit"],
        row["source"],
        row["row_count"],
        row.get("total_kg"),
    )
