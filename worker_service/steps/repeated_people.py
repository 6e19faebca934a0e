"""Finds rows that name a person of their unit whom another upload has: such people count twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.pool import Connection
from worker_service.ledger.repeated_keys import repeated_keys

# So many are listed one by one. All of them are counted.
LISTED_MAX = 10_000


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
    rows = []
    for one in found:
        where = f"row {one.other_row:,} of {words[one.upload_id]}"
        reason = f"is in {where}, too, and counts twice; a unit should have each person once"
        rows.append((one.row, column, shown_text(one.value), reason))
    listed = merged_rejections([pl.DataFrame(rows, schema=REJECTED, orient="row")])
    return RepeatedPeople(count, listed)
