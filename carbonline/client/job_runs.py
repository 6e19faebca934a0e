"""Runs jobs of types that a deployment declares: what both clients do."""

from collections.abc import Mapping
from typing import Any

from carbonline.client.contract_client import ContractClient
from carbonline.client.enum_names import module_number
from carbonline.client.file_loads import Progress
from carbonline.client.reports import PipelineReport
from carbonline.client.submission import find_type


class JobRuns:
    """Submits jobs by the name of their type."""

    contract: ContractClient

    async def run_job(
        self,
        job_type: str,
        payload: Mapping[str, Any] | None = None,
        *,
        year: int | None = None,
        module: str | None = None,
        type: str | None = None,  # noqa: A002 - what it is called everywhere else
        unit: str | None = None,
        priority: int | None = None,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Submits a job of a type that this deployment declares, and waits for its pipeline's end.

        `payload` has the texts that the type takes, by key. `carbonline job-types` lists them, and
        which of the others each type needs; `module` is that of the `type`, if it is left out.
        `priority` and `progress` are as in `submit_file`. Raises ServerError if the scheduler
        refuses it: `fields` say which key and why.
        """
        number, data_entry_type = int(module_number(module)), 0
        if type:
            catalogue = await self.contract.list_modules()
            number, data_entry_type = find_type(catalogue, type, module)
        scope = self.contract.scope(
            module=number, data_entry_type=data_entry_type, year=year or 0, unit=unit or ""
        )
        sent = await self.contract.submit(job_type, scope, payload, priority=priority)
        return await self.wait(sent.pipeline_id, progress)

    async def wait(self, pipeline_id: int, progress: Progress | None = None) -> PipelineReport:
        """Waits for a pipeline's end."""
        raise NotImplementedError
