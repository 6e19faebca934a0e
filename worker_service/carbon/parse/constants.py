"""Checks what a mapping gives each row in columns that the file lacks."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.declarations import Column
from worker_service.carbon.file_mapping import FileMapping
from worker_service.carbon.parse.rows import check_rows


def check_constants(
    mapping: FileMapping, columns: Sequence[Column], year: int | None = None
) -> None:
    """Raises RefusedFile for a constant that each row would be rejected for.

    `year` is that of the file's days, None if it may have any.
    """
    # Places of several modes have columns of one name, of which some must be there for one alone.
    mildest = sorted(columns, key=lambda one: not one.required)
    by_name = {one.name: one for one in mildest}
    set_here = [one for name, one in by_name.items() if name in mapping.constants]
    # The unit of a file of one unit is none of them: each row's is looked up.
    if not set_here:
        return
    texts = {name: pl.lit(value or None, pl.String) for name, value in mapping.constants.items()}
    row = pl.DataFrame({"row_number": [1]}, schema={"row_number": pl.Int32}).with_columns(**texts)
    checked = check_rows(row, set_here, year)
    for _, name, value, reason in checked.rejected.rows():
        said = f"the mapping sets {name} to {value or 'nothing'}, and it {reason}"
        raise RefusedFile(Cause.MAPPING, said)
