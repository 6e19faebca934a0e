"""Finds a saved mapping by its name."""

import difflib
from collections.abc import Mapping
from typing import Any

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import WrongArgument
from carbonline.client.json_struct import values_of
from carbonline.client.mapping_calls import ENTRIES, FACTORS
from carbonline.client.paging import read_pages
from carbonline.v1 import mappings_pb2, types_pb2

MAPPINGS_MAX = 1_000
NAMES_SHOWN_MAX = 10


async def mapping_said(
    contract: ContractClient,
    said: Mapping[str, Any] | str | None,
    data_entry_type: int = 0,
    file_kind: str = ENTRIES,
) -> Mapping[str, Any]:
    """A mapping as a payload takes it: what is said, or what is saved under the name that is said.

    Raises WrongArgument as `saved_mapping`.
    """
    if isinstance(said, str):
        return await saved_mapping(contract, said, data_entry_type, file_kind)
    return said or {}


def check_mapping_is_of_a_type(said: Mapping[str, Any] | str | None, data_entry_type: int) -> None:
    """Raises WrongArgument for a mapping of a file of several types."""
    if said and not data_entry_type:
        raise WrongArgument(
            "mapping is for a file of one type: give type=. In a file of several types rename the"
            " columns, or divide it by type and give type= for each part."
        )


async def saved_mapping(
    contract: ContractClient, name: str, data_entry_type: int, file_kind: str = ENTRIES
) -> Mapping[str, Any]:
    """The mapping of this name, type and kind of file.

    Raises WrongArgument, with near names, if there is none.
    """
    kind = types_pb2.DataEntryType.ValueType(data_entry_type)
    wanted = mappings_pb2.ListMappingsRequest(data_entry_type=kind, file_kind=file_kind, name=name)
    # Asked for no name, the ledger lists all of them.
    for one in (await contract.list_mappings(wanted)).mappings if name.strip() else ():
        return values_of(one.mapping)
    wanted = mappings_pb2.ListMappingsRequest(data_entry_type=kind, file_kind=file_kind)
    others, _ = await read_pages(
        contract.list_mappings, wanted, lambda page: page.mappings, MAPPINGS_MAX
    )
    names = {one.name.casefold(): one.name for one in others}
    near = difflib.get_close_matches(name.strip().casefold(), names, n=1)
    if near:
        hint = f"Did you mean {names[near[0]]!r}?"
    elif names:
        hint = f"There are: {', '.join(list(names.values())[:NAMES_SHOWN_MAX])}."
    else:
        hint = f"None is saved for {_of(file_kind)} yet."
    raise WrongArgument(f"There is no saved mapping {name!r} of {_of(file_kind)}. {hint}")


def _of(file_kind: str) -> str:
    return {ENTRIES: "this type", FACTORS: "factors of this type"}.get(file_kind, file_kind)
