"""Records freshness as tokens: what changed, and what the last recalculation and totals saw."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scheduler_service.jobs.requests import Child
from scheduler_service.jobs.scope import Scope

RECALCULATION = "emission_recalc"
AGGREGATION = "aggregation"


@dataclass(slots=True)
class _TypeMark:
    """`recalc_claim`: None if no recalculation has ended, 0 if one has in doubt. `may_be_written`:
    one that has ended may have written kilograms.
    """

    is_changed: bool = False
    may_be_written: bool = False
    recalc_claim: int | None = None


@dataclass(slots=True)
class FreshnessMarks:
    """What a transaction writes about types and modules: each row once, in order."""

    types: dict[tuple[str, int, int], _TypeMark] = field(default_factory=dict)
    modules: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.types or self.modules)

    def released(self, children: Iterable[Child]) -> None:
        """A recalculation of these types is released: their data changed."""
        for child in children:
            scope = child.scope
            if child.job_type != RECALCULATION:
                continue
            if scope.data_entry_type is not None and scope.year is not None:
                self._type(scope).is_changed = True

    def ended(
        self,
        job_type: str,
        scope: Scope,
        claim_token: int,
        *,
        done: bool,
        in_doubt: bool,
        changed_nothing: bool,
    ) -> None:
        """What a recalculation or an aggregation has seen, and that it is over.

        A recalculation that ended in doubt may have written too: its end counts, its claim not. Of
        one that `changed_nothing`, the claim counts, and its end not, unless another claim of the
        job is in doubt.
        """
        if job_type == RECALCULATION and (done or in_doubt):
            mark = self._type(scope)
            mark.recalc_claim = max(mark.recalc_claim or 0, claim_token if done else 0)
            mark.may_be_written |= in_doubt or not changed_nothing
        elif job_type == AGGREGATION and done:
            module = (scope.tenant, scope.module or 0, scope.year or 0)
            self.modules[module] = max(self.modules.get(module, 0), claim_token)

    def columns(self) -> dict[str, list[Any]]:
        """The parameters of save_pipelines.sql."""
        types, modules = sorted(self.types), sorted(self.modules)
        return {
            "type_tenants": [tenant for tenant, _, _ in types],
            "types": [entry_type for _, entry_type, _ in types],
            "type_years": [year for _, _, year in types],
            "changed": [self.types[name].is_changed for name in types],
            "may_be_written": [self.types[name].may_be_written for name in types],
            "recalc_claims": [self.types[name].recalc_claim for name in types],
            "module_tenants": [tenant for tenant, _, _ in modules],
            "modules": [module for _, module, _ in modules],
            "module_years": [year for _, _, year in modules],
            "agg_claims": [self.modules[name] for name in modules],
        }

    def _type(self, scope: Scope) -> _TypeMark:
        name = (scope.tenant, scope.data_entry_type or 0, scope.year or 0)
        return self.types.setdefault(name, _TypeMark())
