"""Recognises equal rows, however the file that contains them was saved."""

import polars as pl

# Two sums of 64 bits each: two different files do not have the same sums by accident.
_SEEDS = (1, 2)
_SUM_MODULUS = 1 << 64


class ContentDigest:
    """A digest of the accepted rows in their order, as stored: unit and values, no row number.

    Line ends, quotes, compression, the order of columns and blank lines make no difference.
    Digests are comparable only within one version of polars, which is part of the digest. Its
    hash of a row costs a tenth of writing the row out for a SHA-256.
    """

    def __init__(self) -> None:
        """Start without rows."""
        self._sums = [0] * len(_SEEDS)
        self._rows = 0

    def add(self, stored: pl.DataFrame) -> None:
        """Add the next rows of `stored_entries`. Blocks: call it off the event loop."""
        rows = stored.drop("row_number").with_row_index("place", offset=self._rows)
        for number, seed in enumerate(_SEEDS):
            self._sums[number] += int(rows.hash_rows(seed=seed).sum() or 0)
        self._rows += rows.height

    @property
    def value(self) -> str:
        """The version of polars, the number of rows and the sums, as text."""
        sums = "".join(f"{one % _SUM_MODULUS:016x}" for one in self._sums)
        return f"polars-{pl.__version__}:{self._rows}:{sums}"
