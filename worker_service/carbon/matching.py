"""Matches entries with factors: by kind and subkind, else by kind without one, else a fallback."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

import polars as pl

from worker_service.carbon.declarations import OF_FACTOR, Band, Matched
from worker_service.carbon.outcomes import EntryOutcome, fail
from worker_service.carbon.units_of_measure import Conversion, difference, with_factor_units

# So many of the factors that fit an entry are named.
_NAMED_MAX = 3
# Of factors that are not stale: beyond every token.
_NEWEST = pl.lit(2**63 - 1, pl.Int64)
_KINDS = pl.concat_str(["factor_kind", "factor_subkind"], separator=" ", ignore_nulls=True)


@dataclass(frozen=True, slots=True, eq=False)
class Requirement:
    """What a matched factor must have for an entry.

    Where `met` is false or null, the entry has this outcome and detail, and no emissions. The
    expressions may read columns of entries that are keys, and of factors.
    """

    met: pl.Expr
    outcome: EntryOutcome
    detail: pl.Expr


@dataclass(frozen=True, slots=True, eq=False)
class MatchByKind:
    """Finds one factor per entry, or, with `every_match`, all that match.

    `kind` and `subkind` name columns of entries to compare with those of factors; None compares
    nothing. Columns of `looked_up` are not the entry's, but a lookup adds them. Entries whose kind
    has no factor take those of the kind `other_kind`, if it is given. `requires` is checked of the
    factors found, and `beside` names further columns of entries that it reads. With `band`, a
    factor matches if lower <= `band_of` < upper; `band_of` may read columns of entries and factors.
    Factors of the newest file are preferred to stale ones, and of these the one that became stale
    last, by `stale_token`. Without a match the outcome is `no_factor`; with several, where one is
    expected, `ambiguous_factor`. `sought` is an expression for what was looked for, in words.
    `aside` says what a factor makes of it where that differs, such as "849.1 km with its detour";
    it may read columns of entries and factors. With `conversion`, only factors match to
    whose unit the entry's can be converted. With `subkind_leads`, the subkind is a code of its own:
    factors that carry that of the entry match, of several those of its kind too; without any, those
    of its kind match, of several those without subkind.
    """

    sought: pl.Expr
    kind: str | None = None
    subkind: str | None = None
    band: Band | None = None
    band_of: pl.Expr | None = None
    aside: pl.Expr | None = None
    conversion: Conversion | None = None
    every_match: bool = False
    looked_up: tuple[str, ...] = ()
    other_kind: str | None = None
    requires: tuple[Requirement, ...] = ()
    beside: tuple[str, ...] = ()
    subkind_leads: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of entries to compare. Those of `band_of` come from lookups and factors."""
        unit = None if self.conversion is None else self.conversion.entry_unit
        compared = (name for name in (self.kind, self.subkind, unit) if name is not None)
        return (*(name for name in compared if name not in self.looked_up), *self.beside)

    @property
    def factor_columns(self) -> frozenset[str]:
        """The columns by which a factor fits or not, and those that reasons name.

        Those of entries may be among them. Kind and subkind are not.
        """
        bounds = () if self.band is None else (self.band.lower, self.band.upper)
        names = [name for one in _expressions(self) for name in one.meta.root_names()]
        return frozenset(name.removesuffix(OF_FACTOR) for name in (*bounds, *names))

    def match(self, keys: pl.DataFrame, factors: pl.DataFrame) -> Matched:
        """Implements Matching.match. Keys with an outcome are not matched."""
        factors = factors.rename(
            {"version": "factor_version", "kind": "factor_kind", "subkind": "factor_subkind"}
        )
        both = set(keys.columns) & set(factors.columns)
        factors = factors.rename({name: name + OF_FACTOR for name in both})
        sought = keys.filter(pl.col("outcome").is_null())
        hits = self._newest(self._hits(sought, factors))
        if hits.height == sought.height == hits["key_id"].n_unique():
            # Each has its factor, so there is nothing to say of any.
            return self._required(keys, hits)
        counts = hits.group_by("key_id").agg(pl.len().alias("matches"))
        keys = keys.join(counts, on="key_id", how="left", maintain_order="left")
        none, several = pl.col("matches").is_null(), pl.col("matches") > 1
        missed = self._missed(sought.join(counts, on="key_id", how="anti"), factors)
        keys = keys.join(missed, on="key_id", how="left", maintain_order="left")
        detail = pl.format("no factor for {}{}", self.sought, pl.col("missed").fill_null(""))
        keys = fail(keys, none, EntryOutcome.NO_FACTOR, detail).drop("missed")
        if not self.every_match:
            doubled = hits.join(counts.filter(several), on="key_id", how="semi")
            named = _named(self._with_aside(doubled), factors)
            keys = keys.join(named, on="key_id", how="left", maintain_order="left")
            detail = pl.format("{} factors for {}: {}", "matches", self.sought, "named")
            keys = fail(keys, several, EntryOutcome.AMBIGUOUS_FACTOR, detail).drop("named")
            hits = hits.join(counts.filter(~several), on="key_id", how="semi")
        return self._required(keys, hits)

    def _required(self, keys: pl.DataFrame, hits: pl.DataFrame) -> Matched:
        for one in self.requires:
            lacking = hits.filter(~one.met.fill_null(value=False))
            said = lacking.select("key_id", one.detail.alias("lacks")).unique(
                "key_id", keep="first"
            )
            keys = keys.join(said, on="key_id", how="left", maintain_order="left")
            keys = fail(keys, pl.col("lacks").is_not_null(), one.outcome, pl.col("lacks"))
            keys = keys.drop("lacks")
            hits = hits.join(said, on="key_id", how="anti")
        return Matched(keys=keys, factors=hits)

    def _missed(self, keys: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
        """key_id and `missed`: such as " (849.1 km with its detour: short economy)", of factors
        whose band alone does not fit.
        """
        if self.conversion is not None:
            beside = difference(self._of_kind(keys, factors), self.conversion)
            why = beside.filter(pl.col("aside").is_not_null()).sort("factor_id").unique("key_id")
            return why.select("key_id", pl.format(" ({})", "aside").alias("missed"))
        if self.aside is None:
            return pl.DataFrame(schema={"key_id": keys.schema["key_id"], "missed": pl.String})
        beside = self._with_aside(self._compared(keys, factors))
        beside = beside.filter(pl.col("aside").is_not_null())
        named = _listed(beside, factors, pl.format("{}: {}", "aside", _KINDS))
        return named.select("key_id", pl.format(" ({})", "named").alias("missed"))

    def _with_aside(self, hits: pl.DataFrame) -> pl.DataFrame:
        return hits.with_columns(
            (pl.lit(None, pl.String) if self.aside is None else self.aside).alias("aside")
        )

    def _newest(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Drops stale factors of keys that a factor matches, too, which a later file had."""
        if self.every_match or not hits["stale"].any():
            return hits
        given = pl.when("stale").then("stale_token").otherwise(_NEWEST)
        return hits.filter(given == given.max().over("key_id"))

    def _hits(self, keys: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
        if self.subkind_leads:
            return self._hits_of_codes(keys, factors)
        own = self._hits_of_kind(keys, factors)
        if self.other_kind is None or self.kind is None:
            return own
        rest = keys.join(own, on="key_id", how="anti")
        others = rest.with_columns(pl.lit(self.other_kind).alias(self.kind))
        return pl.concat([own, self._hits_of_kind(others, factors).select(own.columns)])

    def _hits_of_kind(self, keys: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
        if self.subkind is None:
            return self._fitting(self._pairs(keys, factors, {}))
        exact = self._fitting(self._pairs(keys, factors, {self.subkind: "factor_subkind"}))
        rest = keys.join(exact, on="key_id", how="anti")
        if rest.is_empty():
            return exact
        general = factors.filter(pl.col("factor_subkind").is_null())
        # The column that was compared is the entry's; both sides must line up.
        of_rest = self._fitting(self._pairs(rest, general, {}))
        return pl.concat([exact, of_rest.select(exact.columns)])

    def _hits_of_codes(self, keys: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
        assert self.kind is not None
        assert self.subkind is not None
        carrying = self._with_code(keys, factors, self.subkind, "factor_subkind")
        both = _preferred(carrying, pl.col("factor_kind") == pl.col(self.kind))
        rest = keys.join(carrying, on="key_id", how="anti")
        of_kind = self._with_code(rest, factors, self.kind, "factor_kind")
        return pl.concat([both, _preferred(of_kind, pl.col("factor_subkind").is_null())])

    def _with_code(
        self, keys: pl.DataFrame, factors: pl.DataFrame, ours: str, theirs: str
    ) -> pl.DataFrame:
        """Keys beside the factors with their code; both codes stay."""
        pairs = keys.join(factors, left_on=ours, right_on=theirs, how="inner", coalesce=False)
        return self._newest(pairs)

    def _compared(self, keys: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
        """Keys beside all factors of their kind and subkind, whatever the band."""
        compared = {} if self.subkind is None else {self.subkind: "factor_subkind"}
        return self._pairs(keys, factors, compared)

    def _of_kind(self, keys: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
        """Keys beside the factors of their kind and subkind, or of no subkind."""
        pairs = self._pairs(keys, factors, {})
        if self.subkind is None:
            return pairs
        fits = pl.col(self.subkind) == pl.col("factor_subkind")
        return pairs.filter(pl.col("factor_subkind").is_null() | fits)

    def _pairs(
        self, keys: pl.DataFrame, factors: pl.DataFrame, compared: dict[str, str]
    ) -> pl.DataFrame:
        if self.kind is not None:
            compared = {self.kind: "factor_kind", **compared}
        if not compared:
            return keys.join(factors, how="cross")
        return keys.join(
            factors, left_on=list(compared), right_on=list(compared.values()), how="inner"
        )

    def _fitting(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The pairs whose band and unit fit."""
        hits = self._in_band(pairs)
        return hits if self.conversion is None else with_factor_units(hits, self.conversion)

    def _in_band(self, hits: pl.DataFrame) -> pl.DataFrame:
        if self.band is None or self.band_of is None:
            return hits
        value, upper = self.band_of, pl.col(self.band.upper)
        return hits.filter((pl.col(self.band.lower) <= value) & (upper.is_null() | (value < upper)))


def _preferred(hits: pl.DataFrame, fits_better: pl.Expr) -> pl.DataFrame:
    """Of several factors of a key those that fit better, if there are any."""
    better = fits_better.fill_null(value=False)
    return hits.filter(better | (~better.any().over("key_id")) | (pl.len().over("key_id") == 1))


def _expressions(declared: object) -> Iterator[pl.Expr]:
    """All expressions of a declaration, whichever of its parts have them."""
    if isinstance(declared, pl.Expr):
        yield declared
    elif isinstance(declared, tuple):
        for one in declared:
            yield from _expressions(one)
    elif is_dataclass(declared):
        for part in fields(declared):
            yield from _expressions(getattr(declared, part.name))


def _named(hits: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """key_id, and the first factors of each key by id, with what distinguishes them (`named`)."""
    kinds = pl.when(_KINDS != "").then(_KINDS)
    apart = pl.concat_str([kinds, "aside"], separator=", ", ignore_nulls=True)
    return _listed(hits, factors, pl.format("{} ({})", "factor_id", apart).str.strip_suffix(" ()"))


def _listed(hits: pl.DataFrame, factors: pl.DataFrame, one: pl.Expr) -> pl.DataFrame:
    """key_id, and the words `one` about the first factors of each key by id (`named`)."""
    kinds = factors.select("factor_id", "factor_kind", "factor_subkind").unique("factor_id")
    listed = pl.col("one").sort_by("factor_id").head(_NAMED_MAX).str.join(", ")
    more = pl.len().cast(pl.Int64) - _NAMED_MAX
    return (
        hits.select("key_id", "factor_id", "aside")
        .join(kinds, on="factor_id")
        .with_columns(one.alias("one"))
        .group_by("key_id")
        .agg(
            pl.when(more > 0)
            .then(pl.format("{} and {} more", listed, more))
            .otherwise(listed)
            .alias("named")
        )
    )
