"""LedgerService: each RPC checks, reads the ledger or the catalogue, and answers."""

from carbonline.serving.interceptor import Context, caller
from carbonline.v1 import (
    emissions_pb2,
    ledger_pb2,
    ledger_pb2_grpc,
    mappings_pb2,
    reference_pb2,
    types_pb2,
    upkeep_pb2,
)
from worker_service.carbon.describe import (
    ColumnDescription,
    ModuleDescription,
    TypeDescription,
    describe_catalogue,
)
from worker_service.ledger.pool import SCHEMA_REVISION, Ledger, revision_of
from worker_service.ledger.totals import TotalsFilter
from worker_service.ledger.uncollected import read_uncollected
from worker_service.ledger_api.emissions import answer_emissions
from worker_service.ledger_api.fields import Fields
from worker_service.ledger_api.kept_totals import KeptTotals
from worker_service.ledger_api.reference_lists import answer_factors, answer_locations
from worker_service.ledger_api.reference_rows import answer_reference_rows
from worker_service.ledger_api.report import answer_report
from worker_service.ledger_api.saved_mappings import answer_delete, answer_mappings, answer_save
from worker_service.ledger_api.uncomputed import answer_uncomputed
from worker_service.ledger_api.unit_list import answer_units
from worker_service.ledger_api.units import check_units_below, limits_of, spelt_unit
from worker_service.ledger_api.uploads import answer_uploads, is_by_number
from worker_service.ledger_api.verification import Verification


class LedgerServicer(ledger_pb2_grpc.LedgerServiceServicer):
    """Serves LedgerService; see the proto for what each RPC promises."""

    def __init__(self, ledger: Ledger, file_bytes_max: int) -> None:
        """`file_bytes_max` is the largest file that may be uploaded; ListModules announces it."""
        self._ledger = ledger
        self._file_bytes_max = file_bytes_max
        self._totals = KeptTotals(ledger)
        self._verification = Verification(ledger)

    async def GetTotals(  # type: ignore[override]  # as it is sent, which an answer may be
        self, request: ledger_pb2.GetTotalsRequest, _context: Context
    ) -> bytes:
        """Return the totals of a year, their sums, and whether they are fresh."""
        tenant = _tenant_of(request)
        fields = Fields()
        fields.totals(request)
        fields.done()
        module = request.module or None
        unit = await spelt_unit(self._ledger, tenant, request.unit)
        wanted = (request.with_units_below, limits_of(request))
        kept = await self._totals.answer(TotalsFilter(tenant, request.year, module, unit, *wanted))
        # An answer is kept for all who ask, and each may see other units.
        check_units_below(module, unit, kept.units)
        return kept.answer

    async def GetReport(
        self, request: ledger_pb2.GetReportRequest, _context: Context
    ) -> ledger_pb2.GetReportResponse:
        """Return the report of a year."""
        tenant = _tenant_of(request)
        return await answer_report(self._ledger, tenant, request)

    async def ListUncomputed(
        self, request: ledger_pb2.ListUncomputedRequest, _context: Context
    ) -> ledger_pb2.ListUncomputedResponse:
        """Return a page of the entries that have no kilograms."""
        tenant = _tenant_of(request)
        return await answer_uncomputed(self._ledger, tenant, request)

    async def ListEmissions(
        self, request: emissions_pb2.ListEmissionsRequest, _context: Context
    ) -> emissions_pb2.ListEmissionsResponse:
        """Return a page of rows with their emissions."""
        tenant = _tenant_of(request)
        return await answer_emissions(self._ledger, tenant, request)

    async def ListUploads(
        self, request: ledger_pb2.ListUploadsRequest, _context: Context
    ) -> ledger_pb2.ListUploadsResponse:
        """Return a page of uploads."""
        own = is_by_number(request)
        tenant = caller().tenant(request.tenant) if own else _tenant_of(request)
        return await answer_uploads(self._ledger, tenant, request)

    async def ListFactors(
        self, request: reference_pb2.ListFactorsRequest, _context: Context
    ) -> reference_pb2.ListFactorsResponse:
        """Return a page of factors."""
        tenant = caller().tenant(request.tenant)
        return await answer_factors(self._ledger, tenant, request)

    async def ListLocations(
        self, request: reference_pb2.ListLocationsRequest, _context: Context
    ) -> reference_pb2.ListLocationsResponse:
        """Return a page of places."""
        tenant = caller().tenant(request.tenant)
        return await answer_locations(self._ledger, tenant, request)

    async def ListReferenceRows(
        self, request: reference_pb2.ListReferenceRowsRequest, _context: Context
    ) -> reference_pb2.ListReferenceRowsResponse:
        """Return a page of rows of one kind of reference data."""
        tenant = caller().tenant(request.tenant)
        return await answer_reference_rows(self._ledger, tenant, request)

    async def ListUnits(
        self, request: reference_pb2.ListUnitsRequest, _context: Context
    ) -> reference_pb2.ListUnitsResponse:
        """A page of units."""
        tenant = caller().tenant(request.tenant)
        return await answer_units(self._ledger, tenant, request)

    async def ListModules(
        self, _request: ledger_pb2.ListModulesRequest, _context: Context
    ) -> ledger_pb2.ListModulesResponse:
        """Return the catalogue."""
        return ledger_pb2.ListModulesResponse(
            modules=map(_module, describe_catalogue()), file_bytes_max=self._file_bytes_max
        )

    async def SaveMapping(
        self, request: mappings_pb2.SaveMappingRequest, _context: Context
    ) -> mappings_pb2.SaveMappingResponse:
        """Keep a mapping under a name."""
        tenant = caller().tenant(request.tenant)
        return await answer_save(self._ledger, tenant, request, caller().name)

    async def ListMappings(
        self, request: mappings_pb2.ListMappingsRequest, _context: Context
    ) -> mappings_pb2.ListMappingsResponse:
        """Return a page of saved mappings."""
        tenant = caller().tenant(request.tenant)
        return await answer_mappings(self._ledger, tenant, request)

    async def DeleteMapping(
        self, request: mappings_pb2.DeleteMappingRequest, _context: Context
    ) -> mappings_pb2.DeleteMappingResponse:
        """Delete a saved mapping."""
        tenant = caller().tenant(request.tenant)
        return await answer_delete(self._ledger, tenant, request)

    async def VerifyLedger(
        self, request: upkeep_pb2.VerifyLedgerRequest, _context: Context
    ) -> upkeep_pb2.VerifyLedgerResponse:
        """Return what breaks an invariant on one page of the ledger."""
        tenant = caller().tenant(request.tenant)
        return await self._verification.answer(tenant, request)

    async def GetUncollected(
        self, request: upkeep_pb2.GetUncollectedRequest, _context: Context
    ) -> upkeep_pb2.GetUncollectedResponse:
        """Return how much waits to be deleted."""
        found = await read_uncollected(self._ledger, caller().tenant(request.tenant))
        answer = upkeep_pb2.GetUncollectedResponse(
            sets=found.sets,
            rows=found.row_count,
            loading_sets=found.loading_sets,
            schema=types_pb2.SchemaRevision(
                needed=SCHEMA_REVISION, found=await revision_of(self._ledger)
            ),
        )
        if found.oldest_since is not None:
            answer.oldest_since.FromDatetime(found.oldest_since)
        return answer


def _tenant_of(
    request: ledger_pb2.GetTotalsRequest
    | ledger_pb2.GetReportRequest
    | ledger_pb2.ListUncomputedRequest
    | ledger_pb2.ListUploadsRequest
    | emissions_pb2.ListEmissionsRequest,
) -> str:
    """The tenant of a request whose module and unit are among the caller's; those that it does not
    name are others', too, unless it leaves them out.
    """
    tenant = caller().tenant(request.tenant)
    check = caller().check_named if request.leave_out_others else caller().check_scope
    check(request.module, request.unit)
    return tenant


def _module(module: ModuleDescription) -> ledger_pb2.ModuleInfo:
    return ledger_pb2.ModuleInfo(
        module=types_pb2.Module.ValueType(module.id),
        name=module.name,
        data_entry_types=map(_type, module.types),
        routing_column=module.routing_column,
    )


def _type(known: TypeDescription) -> ledger_pb2.DataEntryTypeInfo:
    return ledger_pb2.DataEntryTypeInfo(
        data_entry_type=types_pb2.DataEntryType.ValueType(known.id),
        name=known.name,
        supported=known.supported,
        columns=map(_column, known.columns),
        factor_columns=map(_column, known.factor_columns),
        formula=known.formula,
        formula_version=known.formula_version,
        formula_source=known.formula_source,
        template_csv=known.template_csv,
        factor_template_csv=known.factor_template_csv,
    )


def _column(column: ColumnDescription) -> ledger_pb2.ColumnInfo:
    return ledger_pb2.ColumnInfo(
        name=column.name,
        kind=column.kind,
        required=column.required,
        rule=column.rule,
        default_value=column.default_value,
        choices=column.choices,
        identifies=column.identifies,
        doubtful=column.doubtful,
    )
