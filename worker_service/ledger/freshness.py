"""Whether totals are fresh: compares what is published with what it was computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from worker_service.carbon.catalogue import MODULES, module_of
from worker_service.carbon.declarations import DataEntryType, UndeclaredType, UnitSums
from worker_service.carbon.unit_sums import number_of
from worker_service.ledger.emission_sets import emissions_ledger_scope
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.fences import read_tokens
from worker_service.ledger.input_versions import changes_of, factors_input, reference_input
from worker_service.ledger.pool import Connection
from worker_service.ledger.sums_of_units import sums_of_units

# Pairs every set of entries that counts with its emissions, and counts the pairs that a
# recalculation would not keep. Changed entries are found by the index of changed ones.
PAIRS = """
WITH inputs AS (
    SELECT i.*
    FROM unnest(
        CAST($3 AS smallint[]), CAST($4 AS text[]), CAST($5 AS bigint[]), CAST($6 AS bigint[])
    ) AS i (data_entry_type, formula_version, factors_token, references_token)
), counting AS (
    SELECT s.data_entry_type, s.entry_set, s.row_count, s.published_at,
        coalesce((
            SELECT max(e.changed_token) FROM carbon.entries AS e
            WHERE e.tenant = s.tenant AND e.entry_set = s.entry_set
                AND e.changed_token IS NOT NULL
        ), 0) AS changed_token
    FROM carbon.entry_sets AS s
    WHERE s.tenant = $1 AND s.data_entry_type = ANY(CAST($3 AS smallint[])) AND s.year = $2
        AND s.state = 'PUBLISHED'
), computed AS (
    SELECT data_entry_type, entry_set, formula_version, entries_token, factors_token,
        references_token, published_at
    FROM carbon.emission_sets
    WHERE tenant = $1 AND data_entry_type = ANY(CAST($3 AS smallint[])) AND year = $2
        AND state = 'PUBLISHED'
)
SELECT data_entry_type,
    count(*) FILTER (WHERE m.published_at IS NULL) AS waiting,
    coalesce(sum(c.row_count) FILTER (WHERE m.published_at IS NULL), 0) AS waiting_rows,
    min(c.published_at) FILTER (WHERE m.published_at IS NULL) AS waiting_since,
    count(*) FILTER (WHERE c.published_at IS NULL) AS left_over,
    count(*) FILTER (WHERE m.entries_token <> c.changed_token) AS with_other_entries,
    count(*) FILTER (
        WHERE c.published_at IS NOT NULL AND m.factors_token <> i.factors_token
    ) AS with_other_factors,
    count(*) FILTER (
        WHERE c.published_at IS NOT NULL AND m.references_token <> i.references_token
    ) AS with_other_references,
    array_remove(array_agg(DISTINCT m.formula_version ORDER BY m.formula_version) FILTER (
        WHERE c.published_at IS NOT NULL AND m.formula_version <> i.formula_version
    ), NULL) AS other_formulas,
    count(m.published_at) AS computed_sets,
    max(m.published_at) AS computed_at
FROM counting AS c
FULL JOIN computed AS m USING (data_entry_type, entry_set)
JOIN inputs AS i USING (data_entry_type)
GROUP BY data_entry_type
"""
# An aggregation leaves the totals of units where nothing changed: the newest tell what it read.
SUMMED = """
SELECT DISTINCT ON (module) module, input_tokens
FROM carbon.totals
WHERE tenant = $1 AND year = $2
ORDER BY module, claim_token DESC
"""


@dataclass(frozen=True, slots=True)
class Computable:
    """A data-entry type, and how this release computes it.

    `formula_version` is "" if this release does not compute it. `references` are the kinds of
    reference data that its formula reads, `unit_sums` what its factors take from totals.
    """

    module: int
    data_entry_type: int
    name: str
    formula_version: str
    references: Sequence[str]
    unit_sums: UnitSums | None = None


@dataclass(frozen=True, slots=True)
class TypeState:
    """How fresh the emissions of one type and year are.

    `waiting` sets of entries, with `waiting_rows` rows, have no emissions yet. `left_over` sets of
    emissions have no entries any more. `with_other_...` and `other_formulas` count sets that were
    computed from inputs that have changed since. `stale_modules` are those whose totals its factors
    are made of, and which are stale themselves.
    """

    of: Computable
    waiting: int
    waiting_rows: int
    waiting_since: datetime | None
    left_over: int
    with_other_entries: int
    with_other_factors: int
    with_other_references: int
    other_formulas: Sequence[str]
    computed_sets: int
    computed_at: datetime | None
    stale_modules: Sequence[int] = ()

    @property
    def fresh(self) -> bool:
        """Whether a recalculation would find nothing to do, now and once other totals are fresh."""
        return not (self.misses_a_change or self.other_formulas or self.stale_modules)

    @property
    def misses_a_change(self) -> bool:
        """Whether entries, factors or reference data have changed since the last recalculation."""
        return bool(
            self.waiting
            or self.left_over
            or self.with_other_entries
            or self.with_other_factors
            or self.with_other_references
        )


@dataclass(frozen=True, slots=True)
class ModuleState:
    """How fresh the totals of one module and year are.

    `types` are those with uploads or emissions. `summed` is true if the totals include all
    published emissions; if not, `unsummed_since` is when the newest were published, if known.
    """

    module: int
    types: Sequence[TypeState]
    summed: bool
    unsummed_since: datetime | None

    @property
    def fresh(self) -> bool:
        """Whether neither a recalculation nor an aggregation would change anything."""
        return self.summed and all(one.fresh for one in self.types)


def computable_types(module: int | None) -> list[Computable]:
    """How this release computes each type of the module. None stands for all modules."""
    return [
        _computable(of.id, known) for of in MODULES if module in (None, of.id) for known in of.types
    ]


def _computable(module: int, known: DataEntryType | UndeclaredType) -> Computable:
    if isinstance(known, UndeclaredType):
        return Computable(module, known.id, known.name, "", ())
    formula = (known.formula.version, tuple(known.references), known.unit_sums)
    return Computable(module, known.id, known.name, *formula)


async def is_fresh(conn: Connection, tenant: str, data_entry_type: int, year: int) -> bool:
    """Whether the totals of the type's module have seen every change.

    Then neither a recalculation nor an aggregation would change anything. Call it within a
    snapshot.
    """
    types = computable_types(module_of(data_entry_type).id)
    states = await read_states(conn, tenant, year, types)
    return bool(states) and all(state.fresh for state in states)


async def sums_made_of(
    conn: Connection, tenant: str, module: int, year: int
) -> Mapping[Computable, int]:
    """The types of other modules whose factors are made of totals in the year, with a number for
    these totals. Empty where no factor is.
    """
    makers = [one for one in computable_types(None) if one.unit_sums and one.module != module]
    numbers = await _references(conn, tenant, year, makers)
    return {one: number for one, number in numbers.items() if number}


async def lacks_sums(conn: Connection, tenant: str, module: int, year: int) -> bool:
    """Whether types of other modules miss a change, such as one of this module's totals.

    Call it within a snapshot.
    """
    makers = await sums_made_of(conn, tenant, module, year)
    states = await _type_states(conn, tenant, year, list(makers))
    return any(one.misses_a_change for one in states.values())


async def read_states(
    conn: Connection, tenant: str, year: int, computable: Sequence[Computable]
) -> list[ModuleState]:
    """The states of modules with uploads, emissions or totals, by number.

    Call it within a snapshot.
    """
    states = await _module_states(conn, tenant, year, computable)
    makers = [one.of for state in states for one in state.types if one.of.unit_sums]
    if not any((await _references(conn, tenant, year, makers)).values()):
        return states
    # Totals that wait for others are stale: these may change them once more.
    of_makers = {one.module for one in makers}
    there = {one.module for one in computable} | of_makers
    rest = [one for one in computable_types(None) if one.module not in there]
    others = [*states, *await _module_states(conn, tenant, year, rest)]
    stale = [one.module for one in others if not one.fresh and one.module not in of_makers]
    return [replace(state, types=_waiting(state.types, stale)) for state in states]


def _waiting(types: Sequence[TypeState], stale: Sequence[int]) -> list[TypeState]:
    return [replace(one, stale_modules=stale) if one.of.unit_sums else one for one in types]


async def _module_states(
    conn: Connection, tenant: str, year: int, computable: Sequence[Computable]
) -> list[ModuleState]:
    types = await _type_states(conn, tenant, year, computable)
    summed = {row["module"]: row for row in await conn.fetch(SUMMED, tenant, year)}
    scopes = {one: emissions_ledger_scope(one.data_entry_type, year) for one in computable}
    tokens = await read_tokens(conn, tenant, list(scopes.values()))
    states = []
    for module in sorted({one.module for one in computable}):
        of_module = [types[one] for one in computable if one.module == module and one in types]
        sums = summed.get(module)
        if not of_module and sums is None:
            continue
        if sums is None:
            is_summed = not any(one.computed_sets for one in of_module)
        else:
            read: Mapping[str, int] = sums["input_tokens"]
            is_summed = all(
                tokens[scope] == read.get(scope, 0)
                for one, scope in scopes.items()
                if one.module == module
            )
        computed = [one.computed_at for one in of_module if one.computed_at is not None]
        since = None if is_summed else max(computed, default=None)
        states.append(ModuleState(module, of_module, is_summed, since))
    return states


async def _type_states(
    conn: Connection, tenant: str, year: int, computable: Sequence[Computable]
) -> dict[Computable, TypeState]:
    if not computable:
        return {}
    factors = {one: factors_input(one.data_entry_type, year) for one in computable}
    changes = await changes_of(conn, tenant, list(factors.values()))
    references = await _references(conn, tenant, year, computable)
    rows = await conn.fetch(
        PAIRS,
        tenant,
        year,
        [one.data_entry_type for one in computable],
        [one.formula_version for one in computable],
        [changes.get(factors[one], 0) for one in computable],
        [references[one] for one in computable],
    )
    by_number = {one.data_entry_type: one for one in computable}
    states = {}
    for row in rows:
        values = dict(row)
        one = by_number[values.pop("data_entry_type")]
        values["other_formulas"] = tuple(values["other_formulas"] or ())
        values["waiting_rows"] = int(values["waiting_rows"])
        states[one] = TypeState(of=one, **values)
    return states


async def _references(
    conn: Connection, tenant: str, year: int, computable: Sequence[Computable]
) -> dict[Computable, int]:
    """The `references_number` of each."""
    names = {reference_input(kind) for one in computable for kind in one.references}
    changes = await changes_of(conn, tenant, list(names)) if names else {}
    found = {}
    for one in computable:
        kinds = [reference_input(kind) for kind in one.references]
        found[one] = max((changes.get(kind, 0) for kind in kinds), default=0)
        if one.unit_sums is not None:
            of = FactorSlice(tenant, one.data_entry_type, year)
            found[one] = number_of(await sums_of_units(conn, of, one.unit_sums))
    return found
