"""Asks a worker what a load would do: what both clients check."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from carbonline.client.errors import WrongArgument
from carbonline.client.file_loads import FileLoads, Progress, Said, places_of, replacing
from carbonline.client.load_check_report import LoadCheckReport
from carbonline.client.load_findings import load_findings
from carbonline.client.mapping_calls import FACTORS, UNITS
from carbonline.client.saved_mapping import check_mapping_is_of_a_type
from carbonline.v1 import ledger_pb2, types_pb2

_LOCATIONS = "locations"
# The job that checks files of each kind, and the arguments that only some loads take.
_JOBS: Mapping[str, str] = MappingProxyType(
    {
        UNITS: "unit_check",
        FACTORS: "factor_check",
        _LOCATIONS: "reference_check",
        "rates": "reference_check",
        "rooms": "reference_check",
    }
)
_TAKEN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        UNITS: frozenset({"year", "are_all"}),
        FACTORS: frozenset({"type", "year", "module", "replace"}),
        _LOCATIONS: frozenset({"transport_mode", "replace"}),
        "rates": frozenset({"replace"}),
        "rooms": frozenset({"replace"}),
    }
)
_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType({UNITS: ("year",), FACTORS: ("year",)})


class LoadChecks(FileLoads):
    """Checks files of units, factors, places, building rooms and exchange rates."""

    async def check_load(  # noqa: PLR0913 - each by its name
        self,
        kind: str,
        file: str | Path | None = None,
        type: str = "",  # noqa: A002
        *,
        year: int | None = None,
        module: str | None = None,
        transport_mode: str = "",
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        are_all: bool = False,
        progress: Progress | None = None,
    ) -> LoadCheckReport:
        """Uploads a file and has a worker say what its load would do with it.

        `kind` is what the file brings: "units", "factors", "locations", "rates" or "rooms". The
        other arguments are those of the load, such as `load_factors`, and so are the errors;
        WrongArgument is raised for an argument that this load does not take. Factors of several
        types are named by their `module`, without a `type`: `types` of the report has each. Nothing
        is written but the file itself. What is found holds at the moment of the check.
        """
        given = {
            "type": type,
            "year": year,
            "module": module,
            "transport_mode": transport_mode,
            "replace": replace,
            "are_all": are_all,
        }
        _check_arguments(kind, file, given)
        catalogue, scope = await self._scope_of(kind, type, module, year)
        job_type = _JOBS[kind]
        if kind == FACTORS and not scope.data_entry_type:
            check_mapping_is_of_a_type(mapping, scope.data_entry_type)
            job_type = "routed_factor_check"
        read_so = await self._read_so(sheet, mapping, kind, scope.data_entry_type)
        payload = {**read_so, **({"are_all": "yes"} if are_all else {}), **replacing(replace)}
        mode = transport_mode or "plane"
        if kind == _LOCATIONS:
            payload["transport_mode"] = mode
        source = places_of(file)
        sent = await self._sent(job_type, scope, source, payload, catalogue, progress)
        jobs = await self.contract.jobs_of_pipeline(sent.pipeline_id)
        return await load_findings(self.contract, jobs)

    async def _scope_of(
        self, kind: str, name: str, module: str | None, year: int | None
    ) -> tuple[ledger_pb2.ListModulesResponse, types_pb2.Scope]:
        if kind == FACTORS:
            return await self._of_type(name, module, year or 0)
        catalogue = await self.contract.list_modules()
        if kind == UNITS:
            return catalogue, self.contract.scope(year=year or 0)
        return catalogue, self.contract.scope(reference_kind=kind)


def _check_arguments(kind: str, file: str | Path | None, given: Mapping[str, Any]) -> None:
    """Raises WrongArgument for what the load of the kind does not take, or needs."""
    if kind not in _JOBS:
        raise WrongArgument(f"kind is one of {', '.join(_JOBS)}, and not {kind!r}.")
    for name, value in given.items():
        if value and name not in _TAKEN[kind]:
            raise WrongArgument(f"The load of {kind} takes no {name}.")
        if not value and name in _NEEDED.get(kind, ()):
            raise WrongArgument(f"The load of {kind} needs a {name}.")
    if file is None and (kind != _LOCATIONS or given["transport_mode"] not in {"", "plane"}):
        raise WrongArgument("Only airports come with the package: name a file.")
