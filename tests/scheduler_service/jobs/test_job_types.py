"""JOB_TYPES is consistent: what can write one ledger scope runs one at a time, follow-ups end."""

from itertools import product

from scheduler_service.jobs.catalogue import MODULE_OF_TYPE, TYPES_OF_MODULE
from scheduler_service.jobs.job_types import JOB_TYPES, follow_ups
from scheduler_service.jobs.scope import Scope

YEARS = (2023, 2024)


def _scopes(name: str) -> list[Scope]:
    """All scopes that a type can have, within two tenants, two years, all types."""
    row = JOB_TYPES[name]
    scopes = []
    for tenant, year, entry_type in product(("a", "b"), YEARS, MODULE_OF_TYPE):
        scopes.append(
            Scope(
                tenant,
                MODULE_OF_TYPE[entry_type] if "module" in row.needs else None,
                entry_type if "data_entry_type" in row.needs else None,
                year if "year" in row.needs else None,
                None,
                "locations" if "reference_kind" in row.needs else None,
            )
        )
    return list(dict.fromkeys(scopes))


def test_two_jobs_that_can_write_the_same_ledger_scope_share_an_exclusive_key() -> None:
    keys_of: dict[tuple[str, str], set[str | None]] = {}
    for name, row in JOB_TYPES.items():
        for scope in _scopes(name):
            for written in row.ledger_writes(scope):
                keys_of.setdefault((scope.tenant, written), set()).add(row.exclusive_key(scope))
    assert keys_of
    for of, keys in keys_of.items():
        assert len(keys) == 1, (of, keys)
        assert None not in keys


def test_no_key_crosses_tenants() -> None:
    for name, row in JOB_TYPES.items():
        for scope in _scopes(name):
            for key in (row.coalesce_key(scope), row.exclusive_key(scope), row.slot_key(scope)):
                assert key is None or key.startswith(f"{scope.tenant}|")


def test_a_coalescing_types_scope_is_its_exclusive_key() -> None:
    for row in JOB_TYPES.values():
        if row.dedup is not None:
            assert row.exclusive is not None
            assert row.exclusive.scope_columns == row.dedup.scope_columns
            assert set(row.dedup.scope_columns) <= row.needs


def test_follow_ups_form_an_acyclic_graph() -> None:
    def walk(name: str, scope: Scope, path: tuple[tuple[str, Scope], ...]) -> None:
        assert (name, scope) not in path, path
        for next_name, next_scope in follow_ups(name, scope, YEARS):
            walk(next_name, next_scope, (*path, (name, scope)))

    for name in JOB_TYPES:
        for scope in _scopes(name):
            walk(name, scope, ())


def test_totals_are_read_by_the_uses_of_facilities_but_for_their_own() -> None:
    recalculation, aggregation = JOB_TYPES["emission_recalc"], JOB_TYPES["aggregation"]
    for module in TYPES_OF_MODULE:
        of = Scope("a", module, None, 2024)
        read = {
            reader
            for reader in MODULE_OF_TYPE
            if set(aggregation.ledger_writes(of))
            & set(recalculation.ledger_reads(Scope("a", MODULE_OF_TYPE[reader], reader, 2024)))
        }
        followed = {scope.data_entry_type for _, scope in follow_ups("aggregation", of, YEARS)}
        assert read == followed == (set() if module == 6 else {70, 71})


def test_whatever_is_chained_by_the_scheduler_may_be_chained_by_a_worker() -> None:
    for name, row in JOB_TYPES.items():
        for scope in _scopes(name):
            for child, child_scope in follow_ups(name, scope, YEARS):
                assert child in row.children
                assert all(getattr(child_scope, p) is not None for p in JOB_TYPES[child].needs)


def test_every_barrier_names_a_known_type() -> None:
    for row in JOB_TYPES.values():
        assert row.barrier is None or row.barrier.after in JOB_TYPES


def test_every_type_has_one_module() -> None:
    assert sum(len(types) for types in TYPES_OF_MODULE.values()) == len(MODULE_OF_TYPE)
