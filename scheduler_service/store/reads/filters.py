"""Which pipelines and jobs a list is of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from scheduler_service.store.reads.rows import WorkerRow


class AfterWorker(NamedTuple):
    """The worker that a page begins behind: holders of claims come first, and who started last.

    `newest_token` is the newest claim when the first page was read, after which nobody counts as a
    holder; `is_idle` is 0 for a holder and else 1; `started_us` counts from 1970.
    """

    newest_token: int
    is_idle: int
    started_us: int
    worker_id: str

    @classmethod
    def of(cls, row: WorkerRow) -> "AfterWorker":
        """Behind this row."""
        return cls(row.newest_token, row.is_idle, row.started_us, str(row.worker_id))


@dataclass(frozen=True, slots=True)
class PipelineFilter:
    """Which pipelines; None and empty mean all. `before_id` is the keyset of the page.

    `modules` and `units` are those that the caller may see.
    """

    tenant: str
    statuses: tuple[str, ...] = ()
    kind: str | None = None
    module: int | None = None
    year: int | None = None
    unit: str | None = None
    submitted_by: str | None = None
    text: str | None = None
    errors_only: bool = False
    created_from: datetime | None = None
    created_before: datetime | None = None
    before_id: int | None = None
    page_size: int = 50
    modules: tuple[int, ...] | None = None
    units: tuple[str, ...] | None = None

    def matches(self) -> Mapping[str, Any]:
        """What a pipeline must match, apart from its status."""
        return {
            "tenant": self.tenant,
            "kind": self.kind,
            "module": self.module,
            "modules": self.modules,
            "unit": self.unit,
            "units": self.units,
            "year": self.year,
            "submitted_by": self.submitted_by,
            "text": self.text,
            "errors_only": self.errors_only,
            "created_from": self.created_from,
            "created_before": self.created_before,
        }


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """Which modules of a year, and whether with failures. `own_modules` and `own_units` are those
    that the caller may see, of the pipelines; None means all.
    """

    tenant: str
    year: int
    modules: Sequence[int]
    with_failed: bool = False
    own_modules: tuple[int, ...] | None = None
    own_units: tuple[str, ...] | None = None

    def limits(self) -> Mapping[str, Any]:
        """Whose pipelines are passed over."""
        return {"own_modules": self.own_modules, "own_units": self.own_units}


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs; None and empty mean all. `before` is the keyset of the page: numbers of the last
    job's pipeline and of the job. `modules` and `units` are those that the caller may see, of the
    pipelines.
    """

    tenant: str
    pipeline_id: int | None = None
    parent_job_id: int | None = None
    states: tuple[str, ...] = ()
    job_types: tuple[str, ...] = ()
    module: int | None = None
    year: int | None = None
    before: tuple[int, int] | None = None
    page_size: int = 50
    modules: tuple[int, ...] | None = None
    units: tuple[str, ...] | None = None
