"""Matches entries with factors: by kind and subkind, else by kind without a subkind."""

from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import OF_FACTOR, Band, Matched
from worker_service.carbon.outcomes import EntryOutcome, fail

# So many of the factors that fit an entry are named.
_NAMED_MAX = 3
# Of factors that are not stale: beyond every token.
_NEWEST = pl.lit(2**63 - 1, pl.Int64)


@dataclass(frozen=True, slots=True, eq=False)
class MatchByKind:
    """Finds one factor per entry, or, with `every_match`, all that match.

    `kind` and `subkind` name columns of entries to compare with those of factors; None compares
    nothing. With `band`, a factor matches if lower <= `band_of` < upper; `band_of` may read columns
    of entries and factors. Factors of the newest file are preferred to stale ones, and of these the
    one that became stale last, by `stale_token`. Without a match
    the outcome is `no_factor`; with several, where one is expected, `ambiguous_factor`. `sought` is
    an expression for what was looked for, in words.
    """

    sought: pl.Expr
    kind: str | None = None
    subkind: str | None = None
    band: Band | None = None
    band_of: pl.Expr | None = None
    every_match: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of entries to compare. Those of `band_of` come from lookups and factors."""
        return tuple(name for name in (self.kind, self.subkind) if name is not None)

    def match(self, keys: pl.DataFrame, factors: pl.DataFrame) -> Matched:
        """Implements Matching.match. Keys with an outcome are not matched."""
        factors = factors.rename(
            {"version": "factor_version", "kind": "factor_kind", "subkind": "factor_subkind"}
        )
        both = set(keys.columns) & set(factors.columns)
        factors = factors.rename({name: name + OF_FACTOR for name in both})
        hits = self._newest(self._hits(keys.filter(pl.col("outcome").is_null()), factors))
        counts = hits.group_by("key_id").agg(pl.len().alias("matches"))
        keys = keys.join(counts, on="key_id", how="left", maintain_order="left")
        none, several = pl.col("matches").is_null(), pl.col("matches") > 1
        keys = fail(keys, none, EntryOutcome.NO_FACTOR, pl.format("no factor for {}", self.sought))
        if not self.every_match:
            named = _named(hits.join(counts.filter(several), on="key_id", how="semi"), factors)
            keys = keys.join(named, on="key_id", how="left", maintain_order="left")
            detail = pl.format("{} factors for {}: {}", "matches", self.sought, "named")
            keys = fail(keys, several, EntryOutcome.AMBIGUOUS_FACTOR, detail).drop("named")
            hits = hits.join(counts.filter(~several), on="key_id", how="semi")
        return Matched(keys=keys, factors=hits)

    def _newest(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Drops stale factors of keys that a factor matches, too, which a later file had."""
        if self.every_match:
            return hits
        given = pl.when("stale").then("stale_token").otherwise(_NEWEST)
        return hits.filter(given == given.max().over("key_id"))

    def _hits(self, keys: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
        if self.subkind is None:
            return self._join(keys, factors, {})
        exact = self._join(keys, factors, {self.subkind: "factor_subkind"})
        rest = keys.join(exact, on="key_id", how="anti")
        general = factors.filter(pl.col("factor_subkind").is_null())
        # The column that was compared is the entry's; both sides must line up.
        return pl.concat([exact, self._join(rest, general, {}).select(exact.columns)])

    def _join(
        self, keys: pl.DataFrame, factors: pl.DataFrame, compared: dict[str, str]
    ) -> pl.DataFrame:
        if self.kind is not None:
            compared = {self.kind: "factor_kind", **compared}
        if compared:
            hits = keys.join(
                factors, left_on=list(compared), right_on=list(compared.values()), how="inner"
            )
        else:
            hits = keys.join(factors, how="cross")
        if self.band is None or self.band_of is None:
            return hits
        value, upper = self.band_of, pl.col(self.band.upper)
        return hits.filter((pl.col(self.band.lower) <= value) & (upper.is_null() | (value < upper)))


def _named(hits: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """key_id, and the first factors of each key by id, with what distinguishes them (`named`)."""
    kinds = pl.concat_str(["factor_kind", "factor_subkind"], separator=" ", ignore_nulls=True)
    one = pl.format("{} ({})", "factor_id", kinds).str.strip_suffix(" ()")
    of_factors = factors.join(hits, on="factor_id", how="semi").select(
        "factor_id", one.alias("one")
    )
    listed = pl.col("one").sort_by("factor_id").head(_NAMED_MAX).str.join(", ")
    more = pl.len().cast(pl.Int64) - _NAMED_MAX
    return (
        hits.select("key_id", "factor_id")
        .join(of_factors, on="factor_id")
        .group_by("key_id")
        .agg(
            pl.when(more > 0)
            .then(pl.format("{} and {} more", listed, more))
            .otherwise(listed)
            .alias("named")
        )
    )
