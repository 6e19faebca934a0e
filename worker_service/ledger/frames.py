"""Copies frames to tables and back by COPY, without a Python object per row."""

import io
from collections.abc import Mapping
from typing import Any, TypeAlias

import polars as pl

from worker_service.ledger.pool import Connection

Schema: TypeAlias = Mapping[str, type[pl.DataType]]


def frame_bytes(frame: pl.DataFrame) -> bytes:
    """A frame as CSV for COPY. Doubles keep every bit. Blocks: call it off the event loop."""
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False)
    return buffer.getvalue()


async def copy_in(conn: Connection, table: str, columns: list[str], rows: bytes) -> None:
    """Copies rows made by `frame_bytes` into a table of schema carbon."""
    # As one buffer: with pieces, the driver waits forever for room to write if the connection is
    # lost meanwhile.
    whole = memoryview(rows)
    await conn.copy_to_table(
        table,
        schema_name="carbon",
        source=whole,  # type: ignore[arg-type]  # the stubs know no buffers
        columns=columns,
        format="csv",
    )


async def copy_out(conn: Connection, query: str, *arguments: Any) -> bytes:
    """The result of a query as CSV, for `frame_of`."""
    buffer = io.BytesIO()
    await conn.copy_from_query(query, *arguments, output=buffer, format="csv")
    return buffer.getvalue()


def frame_of(rows: bytes, schema: Schema) -> pl.DataFrame:
    """Rows of `copy_out` as a frame. Blocks: call it off the event loop."""
    if not rows:
        return pl.DataFrame(schema=dict(schema))
    return pl.read_csv(rows, has_header=False, schema=dict(schema))
