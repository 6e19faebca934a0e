"""No list ends without a word: it has pages, or a field that says so, or is whole for a reason."""

import re
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from carbonline.v1 import blobs_pb2, ledger_pb2, operations_pb2, scheduler_pb2
from tests.tidy.tracked_files import REPOSITORY, tracked_files

SERVICES: tuple[ServiceDescriptor, ...] = (
    operations_pb2.DESCRIPTOR.services_by_name["OperationsService"],
    scheduler_pb2.DESCRIPTOR.services_by_name["SchedulerService"],
    ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"],
    blobs_pb2.DESCRIPTOR.services_by_name["BlobService"],
)
NEXT_PAGE = "next_page_token"
# A field of the same answer that says that there is more than the list has, or how much more.
SAID_BY = {
    "GetPipeline.jobs": "has_more_jobs",
    "GetPipeline.edges": "has_more_jobs",
    "GetPipeline.timeline": "events_left_out",
    "GetJob.timeline": "events_left_out",
    "GetJob.joined_by_pipeline_ids": "joined_by_left_out",
    "GetReport.units_without_data": "units_without_data_count",
    "ExplainJob.held_children": "has_more_held_children",
    "VerifyHistory.findings": "has_more_findings",
    "VerifyLedger.findings": "has_more_findings",
}
AS_ASKED = "one for each item of the request, whose number is bounded, or those of them that match"
CATALOGUE = "what the product or the credentials have"
DONE = "all that the call has changed"
FOUND = "one for each module, unit, node, year or reason that there is"
TICKS = "the next five, as the proto says: there are always more"
FEW = "a tenant has at most a hundred: one more is refused"
WHOLE = {
    "BatchFinish.results": AS_ASKED,
    "BatchSubmit.results": AS_ASKED,
    "CancelPipeline.cancelled_job_ids": DONE,
    "CancelPipeline.unlinked_job_ids": DONE,
    "Chain.provisional": AS_ASKED,
    "Claim.jobs": AS_ASKED,
    "CreateSchedule.next_ticks": TICKS,
    "ExplainJob.reasons": FOUND,
    "Finish.children": DONE,
    "GetCaller.modules": CATALOGUE,
    "GetCaller.roles": CATALOGUE,
    "GetCaller.tenants": CATALOGUE,
    "GetCaller.units": CATALOGUE,
    "GetReport.freshness": FOUND,
    "GetReport.modules": FOUND,
    "GetReport.modules_of_others": CATALOGUE,
    "GetReport.modules_without_data": FOUND,
    "GetReport.nodes": FOUND,
    "GetReport.unit_tree": FOUND,
    "GetReport.units": FOUND,
    "GetReport.years": FOUND,
    "GetSchedule.next_ticks": TICKS,
    "GetTotals.freshness": FOUND,
    "GetTotals.module_totals": FOUND,
    "GetTotals.unit_totals": FOUND,
    "GetTotals.years": FOUND,
    "GetYear.modules": FOUND,
    "Heartbeat.answers": AS_ASKED,
    "ListActivePipelines.modules": FOUND,
    "ListActivePipelines.year_wide_pipelines": FOUND,
    "ListJobTypes.job_types": CATALOGUE,
    "ListKeptPipelines.pipeline_ids": AS_ASKED,
    "ListModules.modules": CATALOGUE,
    "ListNamedBlobs.blobs": AS_ASKED,
    "ListSchedules.schedules": FEW,
    "PauseJobType.pauses": DONE,
    "Release.released": AS_ASKED,
    "ResumeJobType.pauses": DONE,
    "RetryPipeline.jobs": DONE,
}
# Else a bound is a parameter, whose name in Python a reader of the answer finds.
BOUNDS_IN_SQL = {
    "scheduler_service/store/reads/active_jobs.sql": "PipelineActivity names its bound: a hint",
    "scheduler_service/store/reads/live_pipelines_of_keys.sql": "ActivePipeline names its bound",
    "worker_service/ledger/emission_sets.py": "a sample for stats; ListUncomputed has all",
}
BOUND = re.compile(r"\bLIMIT\s+(?!1\b)[0-9]+", re.IGNORECASE)


def answers() -> Iterator[tuple[str, Descriptor]]:
    """Each list of each answer that is one message, as "ListJobs.jobs", and its message."""
    for service in SERVICES:
        for method in service.methods:
            for field in method.output_type.fields:
                if field.is_repeated and not method.server_streaming:
                    yield f"{method.name}.{field.name}", method.output_type


def test_each_list_has_pages_or_says_what_it_leaves_out_or_is_whole() -> None:
    without_pages = {name for name, message in answers() if NEXT_PAGE not in message.fields_by_name}
    assert without_pages - SAID_BY.keys() == WHOLE.keys()


def test_what_says_that_a_list_is_cut_stands_beside_it() -> None:
    found = dict(answers())
    lacking = [
        name for name, said_by in SAID_BY.items() if said_by not in found[name].fields_by_name
    ]
    assert lacking == []


def test_a_bound_in_sql_has_a_name() -> None:
    bounded = {
        str(path)
        for path in tracked_files(".sql", ".py")
        if path.parts[0] in ("scheduler_service", "worker_service")
        and BOUND.search((REPOSITORY / path).read_text())
    }
    assert bounded == BOUNDS_IN_SQL.keys()
