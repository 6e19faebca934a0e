"""Looks up rows of reference data by the columns with which entries name them."""

from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import References
from worker_service.carbon.matching import Requirement
from worker_service.carbon.outcomes import fail
from worker_service.carbon.parse.values import as_comparison_key
from worker_service.carbon.place_keys import KEY_SEPARATOR, place_key
from worker_service.carbon.reference_kinds import ReferenceKind
from worker_service.carbon.stored import dtype_of


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceLookup:
    """Adds to entries the columns of the row that they name, null where there is none.

    The columns that name it are called as those of the kind. `found` is added, too: whether there
    is a row. Where one of `requires` is not met, the entry has its outcome.
    """

    kind: ReferenceKind
    requires: tuple[Requirement, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that name the row."""
        return self.kind.named_by

    def resolve(self, keys: pl.DataFrame, references: References) -> pl.DataFrame:
        """Implements Lookup.resolve."""
        rows = references[self.kind.name].drop(self.kind.identity)
        named = keys.with_columns(place_key(self.kind.named_by).alias("_named"))
        keys = named.join(
            rows.with_columns(found=pl.lit(value=True)),
            left_on="_named",
            right_on="key",
            how="left",
            maintain_order="left",
        ).drop("_named")
        for one in self.requires:
            keys = fail(keys, ~one.met.fill_null(value=False), one.outcome, one.detail)
        return keys.drop("found")


def key_of(columns: tuple[str, ...]) -> pl.Expr:
    """The key of a row by the columns that identify it: as people write it, in lower case."""
    texts = [as_comparison_key(pl.col(name).cast(pl.String)) for name in columns]
    return pl.concat_str(texts, separator=KEY_SEPARATOR)


def reference_frame(kind: ReferenceKind, stored: pl.DataFrame) -> pl.DataFrame:
    """Rows of one year with `data` (JSON text) as a frame of `key` and the columns of the kind.

    `key` is that by which entries name a row, without the year.
    """
    shape = pl.Struct({column.name: dtype_of(column) for column in kind.columns})
    rows = stored.select(pl.col("data").str.json_decode(shape)).unnest("data")
    return rows.with_columns(key=key_of(kind.named_by))
