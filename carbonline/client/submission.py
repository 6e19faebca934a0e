"""A file on its way in: what it is about is looked up, then it is checked, uploaded, submitted."""

import difflib
from collections.abc import AsyncIterable, Mapping
from pathlib import Path
from typing import TypeAlias

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import WrongArgument
from carbonline.v1 import ledger_pb2, types_pb2

Source: TypeAlias = Path | AsyncIterable[bytes]

# Stands for the file while only the rest of the request is checked.
NO_BLOB = "blob:sha256:" + 64 * "0"


async def submit_file(
    client: ContractClient,
    job_type: str,
    scope: types_pb2.Scope,
    source: Source,
    file_name: str,
    payload: Mapping[str, str],
) -> int:
    """The new pipeline's number. What the scheduler would refuse is refused before the upload."""
    said = {"blob": NO_BLOB, "file_name": file_name, **payload}
    await client.submit(job_type, scope, said, validate_only=True)
    of_blob = types_pb2.Scope(
        tenant=scope.tenant,
        module=scope.module,
        data_entry_type=scope.data_entry_type,
        year=scope.year,
        unit=scope.unit,
    )
    uploaded = await client.upload_blob(source, of_blob, file_name)
    submitted = await client.submit(job_type, scope, {**said, "blob": uploaded.blob})
    return submitted.pipeline_id


def find_type(
    catalogue: ledger_pb2.ListModulesResponse, name: str, module: str | None
) -> tuple[int, int]:
    """Numbers of the module and of the data-entry type. WrongArgument, with names that there are,
    unless exactly one computes it.
    """
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
        raise WrongArgument(f"{name} is a type of {modules}: say which with module=.")
    ((one, of),) = found
    if not one.supported:
        raise WrongArgument(
            f"{one.name} of {of.name} is known by name, but not computed by this release."
        )
    return of.module, one.data_entry_type


def _no_such_type(catalogue: ledger_pb2.ListModulesResponse, name: str, module: str | None) -> str:
    names = sorted({one.name for of in catalogue.modules for one in of.data_entry_types})
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(names)}."
    where = f" in the module {module}" if module is not None else ""
    return f"There is no data-entry type {name!r}{where}.{hint}"
