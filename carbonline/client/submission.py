"""Submits a file: looks up its type, checks it, uploads it, submits it."""

import difflib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import WrongArgument
from carbonline.v1 import blobs_pb2, ledger_pb2, types_pb2

# Causes with which a worker refuses to change much until the caller consents.
NEEDS_CONSENT = frozenset(
    {
        "most_would_go",
        "kilograms_would_double",
        "mended_rows_replace",
        "factors_in_use",
        "places_in_use",
        "references_in_use",
    }
)
CONSENT: Mapping[str, str] = MappingProxyType({"take_away": "yes"})

Upload: TypeAlias = Callable[[types_pb2.Scope], Awaitable[blobs_pb2.UploadBlobResponse]]

# A smaller file is sent before anybody is asked whether its job may be submitted.
ASKED_FROM_BYTES = 1 << 20
# Stands for the file while the rest of the request is validated.
NO_BLOB = "blob:sha256:" + 64 * "0"


@dataclass(frozen=True, slots=True)
class Submitted:
    """A pipeline and what it was submitted with; the payload names the blob, or a provider."""

    pipeline_id: int
    job_type: str
    scope: types_pb2.Scope
    payload: Mapping[str, Any]
    priority: int | None = None


async def submit_file(
    client: ContractClient,
    job_type: str,
    scope: types_pb2.Scope,
    payload: Mapping[str, Any],
    upload: Upload,
    priority: int | None = None,
    *,
    file_bytes: int,
) -> Submitted:
    """Uploads a file of `file_bytes` and submits its job.

    From ASKED_FROM_BYTES on, the request is validated before the upload. `upload` is called with
    the scope of the file. `priority` is as in `ContractClient.submit`.
    """
    if file_bytes >= ASKED_FROM_BYTES:
        await client.submit(job_type, scope, {**payload, "blob": NO_BLOB}, validate_only=True)
    of_file = types_pb2.Scope(
        tenant=scope.tenant,
        module=scope.module,
        data_entry_type=scope.data_entry_type,
        year=scope.year,
        unit=scope.unit,
    )
    uploaded = await upload(of_file)
    complete_payload = {**payload, "blob": uploaded.blob}
    answer = await client.submit(job_type, scope, complete_payload, priority=priority)
    return Submitted(answer.pipeline_id, job_type, scope, complete_payload, priority)


async def submit_without_file(
    client: ContractClient,
    job_type: str,
    scope: types_pb2.Scope,
    payload: Mapping[str, Any],
    priority: int | None = None,
) -> Submitted:
    """Submits a job whose rows a worker fetches from a service, or whose file was sent before."""
    answer = await client.submit(job_type, scope, payload, priority=priority)
    return Submitted(answer.pipeline_id, job_type, scope, payload, priority)


async def submit_with_consent(client: ContractClient, refused: Submitted) -> Submitted:
    """Submit the same blob again, which may now take away what it was refused for."""
    complete_payload = {**refused.payload, **CONSENT}
    answer = await client.submit(
        refused.job_type, refused.scope, complete_payload, priority=refused.priority
    )
    return replace(refused, pipeline_id=answer.pipeline_id, payload=complete_payload)


def check_size(file: Path, catalogue: ledger_pb2.ListModulesResponse) -> int:
    """The size of a file in bytes. Raises WrongArgument if it is too large.

    Older servers do not say their limit.
    """
    size, most = file.stat().st_size, catalogue.file_bytes_max
    if most and size > most:
        raise WrongArgument(f"{file} has {size:,} bytes; the ledger accepts at most {most:,}.")
    return size


def find_type(
    catalogue: ledger_pb2.ListModulesResponse, name: str, module: str | None
) -> tuple[int, int]:
    """The enum numbers of the module and of the data-entry type.

    Without a name the type is 0, for a file of several types. Raises WrongArgument, which lists the
    known names, unless exactly one module has this type and it is supported, or, without a name,
    if nothing tells the types of the module apart.
    """
    if not name:
        routed = {one.name: one.module for one in catalogue.modules if one.routing_column}
        if module not in routed:
            raise WrongArgument(
                "A file without a type is for a module that tells the types of rows apart:"
                f" {', '.join(routed)}. Give type= or module=."
            )
        return routed[module], 0
    asked = name.strip().lower().replace("-", "_")
    found = [
        (one, of)
        for of in catalogue.modules
        for one in of.data_entry_types
        if one.name == asked and module in (None, of.name)
    ]
    if not found:
        raise WrongArgument(_no_such_type(catalogue, name, module))
    if len(found) > 1:
        modules = " or ".join(of.name for _, of in found)
        raise WrongArgument(f"{name} is a type of {modules}: choose one with module=.")
    ((one, of),) = found
    if not one.supported:
        raise WrongArgument(
            f"{one.name} of {of.name} is known by name, but not computed by this release."
        )
    return of.module, one.data_entry_type


def _no_such_type(catalogue: ledger_pb2.ListModulesResponse, name: str, module: str | None) -> str:
    names = sorted({one.name for of in catalogue.modules for one in of.data_entry_types})
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else f" The types are {', '.join(names)}."
    where = f" in the module {module}" if module is not None else ""
    return f"There is no data-entry type {name!r}{where}.{hint}"
