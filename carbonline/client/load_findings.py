"""Reads what a check of a load found from its jobs: of a file of one type, or of several."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from carbonline.client.check_findings import check_findings
from carbonline.client.contract_client import ContractClient
from carbonline.client.load_check_report import LoadCheckReport, load_check_report, of_several_types
from carbonline.v1 import types_pb2


async def load_findings(client: ContractClient, jobs: Sequence[types_pb2.Job]) -> LoadCheckReport:
    """The report of a pipeline that has ended, by its jobs, oldest first.

    With more than one, the first has divided the file, and the others have checked the types, whose
    row numbers are those of the whole file.
    """
    reports = [load_check_report(job, await check_findings(client, job)) for job in jobs]
    whole, *parts = reports
    if not parts:
        return whole
    names = [_type_name(job.scope.data_entry_type) for job in jobs[1:]]
    report = of_several_types(whole, dict(zip(names, parts, strict=True)))
    return replace(report, findings=sorted(report.findings, key=lambda one: int(one["row"])))


def _type_name(number: int) -> str:
    """Such as "vehicles"; of a newer server's type its number."""
    names: Mapping[int, str] = {of: name for name, of in types_pb2.DataEntryType.items()}
    return names.get(number, str(number)).removeprefix("DATA_ENTRY_TYPE_").lower()
