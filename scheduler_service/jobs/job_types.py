"""JOB_TYPES: what the scheduler knows of each type of job, one row per type."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from scheduler_service.jobs.catalogue import (
    MODULE_OF_TYPE,
    READERS_OF_REFERENCE,
    READERS_OF_TOTALS,
    TYPES_OF_MODULE,
)
from scheduler_service.jobs.scope import Scope

# No total depends on itself: these read only those of other modules.
_MODULES_THAT_READ_TOTALS = frozenset(MODULE_OF_TYPE[one] for one in READERS_OF_TOTALS)
SCOPE_PARTS = ("module", "data_entry_type", "year", "unit", "reference_kind")


@dataclass(frozen=True, slots=True)
class DedupConfig:
    """At most one waiting job per key: a newcomer joins it. The tenant always leads the key."""

    job_type: str
    scope_columns: tuple[str, ...]
    constraint_name: str = "one_waiting_job_per_coalesce_key"


EMISSION_RECALC_DEDUP = DedupConfig("emission_recalc", ("module", "data_entry_type", "year"))
AGGREGATION_DEDUP = DedupConfig("aggregation", ("module", "year"))


@dataclass(frozen=True, slots=True)
class ExclusiveConfig:
    """Jobs of one key run one at a time, in order of submission. Types may share a family."""

    family: str
    scope_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BarrierConfig:
    """Becomes a job only when no job of `after` with the same columns is live in the pipeline."""

    after: str
    scope_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobType:
    """One row of JOB_TYPES. Ledger scopes are templates over the job's own scope."""

    name: str
    needs: frozenset[str]
    takes: frozenset[str] = frozenset()
    needs_provisioned_year: bool = False
    provisions_year: bool = False
    attempts_max: int = 5
    ingestion_method: str = "none"
    target: str = "none"
    dedup: DedupConfig | None = None
    exclusive: ExclusiveConfig | None = None
    barrier: BarrierConfig | None = None
    children: frozenset[str] = frozenset()
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    has_slot: bool = False
    # It needs no file, which would be the same at each tick.
    may_be_scheduled: bool = False

    def open_year(self, scope: Scope) -> int | None:
        """The year that must not be locked, because such a job changes it, or loads units for it;
        None if there is none.
        """
        return scope.year if self.needs_provisioned_year or self.provisions_year else None

    @property
    def writes_data(self) -> bool:
        """Whether a claim of it that ends in doubt may have changed the ledger."""
        return bool(self.writes)

    def coalesce_key(self, scope: Scope) -> str | None:
        """The key under which a newcomer joins a waiting duplicate; None if the type has none."""
        if self.dedup is None:
            return None
        return _key(self.dedup.job_type, self.dedup.scope_columns, scope)

    def exclusive_key(self, scope: Scope) -> str | None:
        """The key whose jobs run one at a time; None if the type has none."""
        if self.exclusive is None:
            return None
        return _key(self.exclusive.family, self.exclusive.scope_columns, scope)

    def slot_key(self, scope: Scope) -> str | None:
        """What "the current job of its kind" means; a unit's upload has no slot of the year."""
        if not self.has_slot or scope.unit is not None:
            return None
        parts = (self.name, scope.entity_type, *(_part(scope, p) for p in SCOPE_PARTS))
        return "|".join((scope.tenant, *parts, self.target, self.ingestion_method))

    def ledger_reads(self, scope: Scope) -> tuple[str, ...]:
        """Names of the ledger scopes that a run of it reads, without the tenant."""
        return _ledger_scopes(self.reads, scope)

    def ledger_writes(self, scope: Scope) -> tuple[str, ...]:
        """Names of the ledger scopes that a run of it may write, without the tenant."""
        return _ledger_scopes(self.writes, scope)


def _part(scope: Scope, column: str) -> str:
    value = getattr(scope, column)
    return "-" if value is None else str(value)


def _key(family: str, columns: tuple[str, ...], scope: Scope) -> str:
    return "|".join((scope.tenant, family, *(_part(scope, column) for column in columns)))


def _kinds_read(scope: Scope) -> list[str]:
    types = set(scope.types())
    return [kind for kind, readers in READERS_OF_REFERENCE.items() if types & set(readers)]


def _modules_read(scope: Scope) -> list[int]:
    """The modules whose totals a recalculation of these types reads."""
    if not set(scope.types()) & set(READERS_OF_TOTALS):
        return []
    return [module for module in TYPES_OF_MODULE if module not in _MODULES_THAT_READ_TOTALS]


def _ledger_scopes(templates: tuple[str, ...], scope: Scope) -> tuple[str, ...]:
    names: list[str] = []
    for template in templates:
        if "{type}" in template:
            names.extend(template.format(type=t, year=scope.year) for t in scope.types())
        elif "{kind_read}" in template:
            names.extend(template.format(kind_read=kind) for kind in _kinds_read(scope))
        elif "{module_read}" in template:
            modules = _modules_read(scope)
            names.extend(template.format(module_read=one, year=scope.year) for one in modules)
        else:
            kind = scope.reference_kind
            names.append(template.format(module=scope.module, year=scope.year, reference_kind=kind))
    return tuple(names)


_MODULE_YEAR = frozenset({"module", "year"})
_TYPE_YEAR = frozenset({"module", "data_entry_type", "year"})
_UNIT = frozenset({"unit"})
_ENTRY_READS = ("factors/{year}", "units")
_RECALC_READS = (
    "entries/{module}/{year}",
    "factors/{year}",
    "reference/{kind_read}",
    "totals/{module_read}/{year}",
)


def _check(
    name: str,
    needs: frozenset[str],
    *,
    takes: frozenset[str] = frozenset(),
    children: frozenset[str] = frozenset(),
    needs_provisioned_year: bool = True,
) -> JobType:
    """Says what a file would do. Without a key it waits for no ingest and none for it; without a
    slot it is not the current ingest of its year; without reads it closes no ledger scope.
    """
    return JobType(
        name,
        needs=needs,
        takes=takes,
        needs_provisioned_year=needs_provisioned_year,
        attempts_max=3,
        ingestion_method="csv",
        children=children,
    )


OWN_JOB_TYPES: Mapping[str, JobType] = MappingProxyType(
    {
        row.name: row
        for row in (
            JobType(
                "csv_ingest",
                needs=_TYPE_YEAR,
                takes=_UNIT,
                needs_provisioned_year=True,
                ingestion_method="csv",
                target="entries",
                exclusive=ExclusiveConfig("entries", ("module", "year")),
                children=frozenset({"emission_recalc"}),
                writes=("entries/{module}/{year}",),
                reads=_ENTRY_READS,
                has_slot=True,
            ),
            _check("csv_check", _TYPE_YEAR, takes=_UNIT),
            JobType(
                "api_ingest",
                needs=_TYPE_YEAR,
                needs_provisioned_year=True,
                ingestion_method="api",
                target="entries",
                exclusive=ExclusiveConfig("entries", ("module", "year")),
                children=frozenset({"emission_recalc"}),
                writes=("entries/{module}/{year}",),
                reads=_ENTRY_READS,
                has_slot=True,
                may_be_scheduled=True,
            ),
            JobType(
                "routed_ingest",
                needs=_MODULE_YEAR,
                takes=_UNIT,
                needs_provisioned_year=True,
                ingestion_method="csv",
                # That of its parts, which take its place: what is submitted later waits for it.
                exclusive=ExclusiveConfig("entries", ("module", "year")),
                children=frozenset({"csv_ingest"}),
                reads=_ENTRY_READS,
            ),
            _check("routed_check", _MODULE_YEAR, takes=_UNIT, children=frozenset({"csv_check"})),
            JobType(
                "routed_factor_ingest",
                needs=_MODULE_YEAR,
                needs_provisioned_year=True,
                ingestion_method="csv",
                exclusive=ExclusiveConfig("factors", ("year",)),
                children=frozenset({"factor_ingest"}),
            ),
            _check("routed_factor_check", _MODULE_YEAR, children=frozenset({"factor_check"})),
            JobType(
                "upload_withdrawal",
                needs=_TYPE_YEAR,
                takes=_UNIT,
                needs_provisioned_year=True,
                target="entries",
                exclusive=ExclusiveConfig("entries", ("module", "year")),
                children=frozenset({"emission_recalc"}),
                writes=("entries/{module}/{year}",),
            ),
            JobType(
                "factor_ingest",
                needs=_TYPE_YEAR,
                needs_provisioned_year=True,
                ingestion_method="csv",
                target="factors",
                exclusive=ExclusiveConfig("factors", ("year",)),
                children=frozenset({"emission_recalc"}),
                writes=("factors/{year}",),
                has_slot=True,
            ),
            _check("factor_check", _TYPE_YEAR),
            JobType(
                "reference_ingest",
                needs=frozenset({"reference_kind"}),
                ingestion_method="csv",
                target="reference",
                exclusive=ExclusiveConfig("reference", ("reference_kind",)),
                children=frozenset({"emission_recalc"}),
                writes=("reference/{reference_kind}",),
                has_slot=True,
            ),
            _check("reference_check", frozenset({"reference_kind"}), needs_provisioned_year=False),
            JobType(
                "unit_sync",
                needs=frozenset({"year"}),
                provisions_year=True,
                ingestion_method="csv",
                target="units",
                exclusive=ExclusiveConfig("units", ()),
                writes=("units",),
                has_slot=True,
                may_be_scheduled=True,
            ),
            _check("unit_check", frozenset({"year"}), needs_provisioned_year=False),
            JobType(
                "unit_removal",
                needs=frozenset(),
                target="units",
                exclusive=ExclusiveConfig("units", ()),
                writes=("units",),
            ),
            JobType(
                "emission_recalc",
                needs=_TYPE_YEAR,
                needs_provisioned_year=True,
                ingestion_method="computed",
                target="emissions",
                dedup=EMISSION_RECALC_DEDUP,
                exclusive=ExclusiveConfig("emission_recalc", EMISSION_RECALC_DEDUP.scope_columns),
                children=frozenset({"aggregation"}),
                writes=("emissions/{type}/{year}",),
                reads=_RECALC_READS,
                has_slot=True,
                may_be_scheduled=True,
            ),
            # It computes nothing: its children wait for each other. Two of a module may differ in
            # what they leave out, so that none joins another.
            JobType(
                "module_emission_recalc",
                needs=_MODULE_YEAR,
                needs_provisioned_year=True,
                ingestion_method="computed",
                exclusive=ExclusiveConfig("module_emission_recalc", ("module", "year")),
                children=frozenset({"emission_recalc", "aggregation"}),
                may_be_scheduled=True,
            ),
            JobType(
                "aggregation",
                needs=_MODULE_YEAR,
                needs_provisioned_year=True,
                ingestion_method="computed",
                target="totals",
                dedup=AGGREGATION_DEDUP,
                exclusive=ExclusiveConfig("aggregation", AGGREGATION_DEDUP.scope_columns),
                barrier=BarrierConfig("emission_recalc", ("module", "year")),
                children=frozenset({"emission_recalc"}),
                writes=("totals/{module}/{year}",),
                reads=("emissions/{type}/{year}",),
                has_slot=True,
                may_be_scheduled=True,
            ),
            JobType(
                "noop",
                needs=frozenset(),
                takes=frozenset({"module", "data_entry_type", "year", "unit"}),
                children=frozenset({"noop"}),
                may_be_scheduled=True,
            ),
        )
    }
)


# With those that `declare_job_types` adds.
_ROWS = dict(OWN_JOB_TYPES)
JOB_TYPES: Mapping[str, JobType] = MappingProxyType(_ROWS)


def add_job_types(rows: Iterable[JobType]) -> None:
    """Adds the types of a deployment, before anything is served; see `declare_job_types`."""
    _ROWS.update((row.name, row) for row in rows)


def enabled_job_types(*, noop: bool) -> tuple[str, ...]:
    """The job types that clients may name; `noop` is for tests and benchmarks."""
    return tuple(name for name in JOB_TYPES if noop or name != "noop")


def divided_into(job_type: str) -> list[str]:
    """The ingests of the parts of a file that such a job divides."""
    children = JOB_TYPES[job_type].children
    return [name for name in children if JOB_TYPES[name].target in ("entries", "factors")]


def follow_ups(
    job_type: str, scope: Scope, provisioned_years: tuple[int, ...]
) -> tuple[tuple[str, Scope], ...]:
    """What must run after a run of this type may have written its whole scope.

    The scheduler releases those that a claim which ended well did not stage, and all of them
    when a claim ended in doubt. Over (job type, scope) they form an acyclic graph: ingest, then
    recalculation, then aggregation, then recalculation and aggregation of what is made of totals.
    """
    match job_type:
        case "csv_ingest" | "api_ingest" | "upload_withdrawal" | "factor_ingest":
            return tuple(("emission_recalc", scope.narrowed(t)) for t in scope.types())
        case "reference_ingest":
            return _readers_in_every_year(scope, provisioned_years)
        case "emission_recalc":
            return (("aggregation", scope.narrowed(None)),)
        case "aggregation" if scope.module not in _MODULES_THAT_READ_TOTALS:
            return tuple(
                ("emission_recalc", Scope(scope.tenant, MODULE_OF_TYPE[one], one, scope.year))
                for one in READERS_OF_TOTALS
            )
        case _:
            return ()


def follows_data_only(job_type: str) -> bool:
    """Whether its follow-ups are only for types that ever had data in the year: what comes later
    is computed with what it has written anyway.
    """
    return job_type in ("reference_ingest", "aggregation")


def _readers_in_every_year(
    scope: Scope, provisioned_years: tuple[int, ...]
) -> tuple[tuple[str, Scope], ...]:
    readers = READERS_OF_REFERENCE.get(scope.reference_kind or "", ())
    return tuple(
        ("emission_recalc", Scope(scope.tenant, MODULE_OF_TYPE[reader], reader, year))
        for year in provisioned_years
        for reader in readers
    )
