"""Which pipelines and jobs a list is of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


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
class JobFilter:
    """Which jobs; None and empty mean all. `before` is the keyset of the page: numbers of the last
    job's pipeline and of the job. `modules` and `units` are those that the caller may see, of the
    pipelines.
    """

    tenant: str
    pipeline_id: int | None = None
    states: tuple[str, ...] = ()
    job_types: tuple[str, ...] = ()
    module: int | None = None
    year: int | None = None
    before: tuple[int, int] | None = None
    page_size: int = 50
    modules: tuple[int, ...] | None = None
    units: tuple[str, ...] | None = None
