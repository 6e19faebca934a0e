"""Which RPC answers which HTTP request: one table, one line each."""

from dataclasses import dataclass

PACKAGE = "carbonline.v1"


@dataclass(frozen=True, slots=True)
class Route:
    """An HTTP request and the RPC that answers it.

    `path` names fields of the request in braces; other fields come from the query of a GET, and
    from the JSON body of a POST, which may be left out. `rpc` is "Service.Method".
    """

    method: str
    path: str
    rpc: str

    @property
    def full_name(self) -> str:
        """The method as its descriptor is called."""
        return f"{PACKAGE}.{self.rpc}"


# A path that ends with a verb stands before the one that it could be taken for.
ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/me", "OperationsService.GetCaller"),
    Route("GET", "/v1/pipelines", "OperationsService.ListPipelines"),
    Route("POST", "/v1/pipelines", "SchedulerService.Submit"),
    Route("POST", "/v1/pipelines:batch", "SchedulerService.BatchSubmit"),
    Route("GET", "/v1/pipelines/{pipeline_id}", "OperationsService.GetPipeline"),
    Route("GET", "/v1/pipelines/{pipeline_id}/jobs", "OperationsService.ListJobs"),
    Route("POST", "/v1/pipelines/{pipeline_id}:cancel", "OperationsService.CancelPipeline"),
    Route("POST", "/v1/pipelines/{pipeline_id}:retry", "OperationsService.RetryPipeline"),
    Route("GET", "/v1/jobs", "OperationsService.ListJobs"),
    Route("GET", "/v1/jobs/{job_id}", "OperationsService.GetJob"),
    Route("GET", "/v1/jobs/{job_id}/explanation", "OperationsService.ExplainJob"),
    Route("POST", "/v1/jobs/{job_id}:recover", "OperationsService.RecoverJob"),
    Route("GET", "/v1/job-types", "OperationsService.ListJobTypes"),
    Route("GET", "/v1/job-types/pauses", "OperationsService.ListJobTypePauses"),
    Route("POST", "/v1/job-types/{job_type}:pause", "OperationsService.PauseJobType"),
    Route("POST", "/v1/job-types/{job_type}:resume", "OperationsService.ResumeJobType"),
    Route("GET", "/v1/schedules", "OperationsService.ListSchedules"),
    Route("POST", "/v1/schedules", "OperationsService.CreateSchedule"),
    Route("GET", "/v1/schedules/{name}", "OperationsService.GetSchedule"),
    Route("POST", "/v1/schedules/{name}:pause", "OperationsService.PauseSchedule"),
    Route("POST", "/v1/schedules/{name}:resume", "OperationsService.ResumeSchedule"),
    Route("POST", "/v1/schedules/{name}:delete", "OperationsService.DeleteSchedule"),
    Route("GET", "/v1/workers", "OperationsService.ListWorkers"),
    Route("POST", "/v1/workers/{worker_id}:drain", "OperationsService.DrainWorker"),
    Route("GET", "/v1/queues", "OperationsService.GetQueueStats"),
    Route("GET", "/v1/years", "OperationsService.ListYears"),
    Route("GET", "/v1/years/{year}", "OperationsService.GetYear"),
    Route("GET", "/v1/years/{year}/active-pipelines", "OperationsService.ListActivePipelines"),
    Route("GET", "/v1/years/{year}/slots", "OperationsService.ListSlots"),
    Route("GET", "/v1/years/{year}/totals", "LedgerService.GetTotals"),
    Route("GET", "/v1/years/{year}/report", "LedgerService.GetReport"),
    Route("GET", "/v1/years/{year}/uncomputed", "LedgerService.ListUncomputed"),
    Route("GET", "/v1/emissions", "LedgerService.ListEmissions"),
    Route("GET", "/v1/years/{year}/uploads", "LedgerService.ListUploads"),
    Route("GET", "/v1/years/{year}/factors", "LedgerService.ListFactors"),
    Route("POST", "/v1/years/{year}:lock", "OperationsService.LockPeriod"),
    Route("POST", "/v1/years/{year}:unlock", "OperationsService.UnlockPeriod"),
    Route("POST", "/v1/uploads/{upload_id}:withdraw", "OperationsService.WithdrawUpload"),
    Route("GET", "/v1/stale-stats", "OperationsService.ListStaleStats"),
    Route("GET", "/v1/locations", "LedgerService.ListLocations"),
    Route("GET", "/v1/reference-rows", "LedgerService.ListReferenceRows"),
    Route("GET", "/v1/units", "LedgerService.ListUnits"),
    Route("GET", "/v1/modules", "LedgerService.ListModules"),
    Route("GET", "/v1/mappings", "LedgerService.ListMappings"),
    Route("POST", "/v1/mappings", "LedgerService.SaveMapping"),
    Route("POST", "/v1/mappings:delete", "LedgerService.DeleteMapping"),
    Route("GET", "/v1/blobs/{blob}", "BlobService.StatBlob"),
    Route("GET", "/v1/uncollected", "LedgerService.GetUncollected"),
    Route("GET", "/v1/history-findings", "OperationsService.VerifyHistory"),
    Route("GET", "/v1/ledger-findings", "LedgerService.VerifyLedger"),
)

# RPC -> why no line of the table names it.
WITHOUT_ROUTE: dict[str, str] = {
    "SchedulerService.Claim": "workers call it",
    "SchedulerService.Heartbeat": "workers call it",
    "SchedulerService.Chain": "workers call it",
    "SchedulerService.Finish": "workers call it",
    "SchedulerService.BatchFinish": "workers call it",
    "SchedulerService.Release": "workers call it",
    "OperationsService.ListNamedBlobs": "workers ask it before they delete files",
    "OperationsService.ListKeptPipelines": "workers ask it before they forget uploads",
    "SchedulerService.WatchPipeline": "a stream of its own: /v1/pipelines/{pipeline_id}/events",
    "SchedulerService.WatchPipelines": "the console follows it: /v1/events",
    "BlobService.UploadBlob": "the body is the file: POST /v1/blobs",
    "BlobService.DownloadBlob": "the body is the file: GET /v1/blobs/{blob}/content",
}
