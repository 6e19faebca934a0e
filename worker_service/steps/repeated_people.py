"""Finds rows that name a person of their unit whom another upload has: such people count twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.pool import Connection
from worker_service.ledger.repeated_keys import (
    KeysAhead,
    RepeatedKey,
    repeated_keys,
    repeated_keys_ahead,
)

# So many are listed one by one. All of them are counted.
LISTED_MAX = 10_000
# So many rows that are not written are looked for at once.
KEYS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class RepeatedPeople:
    """How many `rows` of the new upload name a person whom another upload has in the same unit.

    `listed`: row, column, value, reason, in order of row; at most LISTED_MAX rows.
    """

    rows: int = 0
    listed: pl.DataFrame = field(default_factory=lambda: merged_rejections([]))


async def repeated_people(
    conn: Connection, declared: DataEntryType, new: NewSet, words: Mapping[int, str]
) -> RepeatedPeople:
    """What the loaded rows of a set repeat of other uploads, given by number with their `words`.

    Nothing, if the type does not say what may be in a unit once.
    """
    if not declared.unique:
        return RepeatedPeople()
    [column] = declared.unique
    found, count = await repeated_keys(
        conn, new.tenant, new.entry_set, list(words), column, LISTED_MAX
    )
    return RepeatedPeople(count, _listed(found, column, words, "counts twice"))


async def people_ahead(
    conn: Connection, tenant: str, column: str, own: pl.DataFrame, words: Mapping[int, str]
) -> RepeatedPeople:
    """The same of rows that are not written: row_number, unit and key, in order of row.

    The key is what stands in `column`. None of the rows may be equal to one of another upload.
    """
    listed: list[RepeatedKey] = []
    count = 0
    for piece in own.iter_slices(KEYS_AT_ONCE):
        rows, units, values = (piece[name].to_list() for name in ("row_number", "unit", "key"))
        ahead = KeysAhead(rows, units, values)
        found, more = await repeated_keys_ahead(
            conn, tenant, ahead, list(words), column, LISTED_MAX
        )
        listed += found[: LISTED_MAX - len(listed)]
        count += more
    return RepeatedPeople(count, _listed(listed, column, words, "would count twice"))


def _listed(
    found: Sequence[RepeatedKey], column: str, words: Mapping[int, str], what: str
) -> pl.DataFrame:
    rows = []
    for one in found:
        where = f"row {one.other_row:,} of {words[one.upload_id]}"
        reason = f"is in {where}, too, and {what}; a unit should have each person once"
        rows.append((one.row, column, shown_text(one.value), reason))
    return merged_rejections([pl.DataFrame(rows, schema=REJECTED, orient="row")])
