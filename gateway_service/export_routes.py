"""Which lists are CSV files, and where: one table, one line each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Export:
    """A list as a CSV file: the rows in the field `rows` of the answers of an RPC.

    `rpc` is "Service.Method". `name` begins the file's name. `parts` are fields of the request that
    go on with it. `operation` names it in the OpenAPI document. A caller with limited modules or
    units has the rows of theirs.
    """

    path: str
    rpc: str
    rows: str
    name: str
    parts: tuple[str, ...]
    operation: str
    does: str


EXPORTS: tuple[Export, ...] = (
    Export(
        "/v1/pipelines.csv",
        "OperationsService.ListPipelines",
        "pipelines",
        "pipelines",
        ("year",),
        "ExportPipelines",
        "Sends pipelines as CSV, newest first.",
    ),
    Export(
        "/v1/years/{year}/totals.csv",
        "LedgerService.GetTotals",
        "module_totals",
        "totals",
        ("year",),
        "ExportTotals",
        "Sends the totals of a year as CSV: a row for each unit and module.",
    ),
    Export(
        "/v1/years/{year}/unit_tree.csv",
        "LedgerService.GetReport",
        "unit_tree",
        "unit_tree",
        ("year",),
        "ExportUnitTree",
        "Sends the tree of units as CSV: each with its own kilograms, and with all units below it.",
    ),
    Export(
        "/v1/years/{year}/uploads.csv",
        "LedgerService.ListUploads",
        "uploads",
        "uploads",
        ("year",),
        "ExportUploads",
        "Sends the uploads of a year as CSV.",
    ),
    Export(
        "/v1/years/{year}/uncomputed.csv",
        "LedgerService.ListUncomputed",
        "entries",
        "uncomputed",
        ("year",),
        "ExportUncomputed",
        "Sends the entries of a year that have no kilograms as CSV, each with its reason.",
    ),
    Export(
        "/v1/emissions.csv",
        "LedgerService.ListEmissions",
        "rows",
        "emissions",
        ("pipeline_id", "upload_id"),
        "ExportEmissions",
        "Sends the rows of a pipeline or of an upload as CSV, each with what was computed of it.",
    ),
)
