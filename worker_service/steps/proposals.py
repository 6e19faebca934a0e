"""Says how a file that another program may have written might be read. Nothing is read so."""

import asyncio
from typing import Any

from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.file_mapping import mapping_as_said, read_mapping
from worker_service.carbon.parse.entries import EntryFile, entry_columns
from worker_service.carbon.parse.references import LOCATION_COLUMNS
from worker_service.carbon.proposed_mapping import codes_in, proposed_mapping, sample_of
from worker_service.ledger.locations import known_codes
from worker_service.steps.entry_files import Intake
from worker_service.steps.stores import Stores


async def opened(stores: Stores, what: Intake) -> EntryFile:
    """The file after its header. Raises RefusedFile; one for missing columns has a proposal."""
    try:
        return await asyncio.to_thread(what.opened)
    except RefusedFile as refused:
        if not refused.missing:
            raise
        found = await proposal(stores, what)
        if not {*refused.missing}.intersection(found.get("columns", {}).values()):
            raise
        raise refused.proposing(found) from refused


async def proposal(stores: Stores, what: Intake) -> dict[str, Any]:
    """What to say besides the mapping of the job, as a payload has it. Empty for nothing."""
    columns = entry_columns(what.declared, per_year=what.new.unit is None)
    try:
        sample = await asyncio.to_thread(sample_of, what.file.open, columns)
    except RefusedFile:
        return {}
    codes = codes_in(sample)
    async with stores.ledger.session() as conn:
        places = [
            await known_codes(conn, what.new.tenant, mode, codes) for mode in LOCATION_COLUMNS
        ]
    said = read_mapping(what.new.mapping)
    found = await asyncio.to_thread(proposed_mapping, columns, sample, set().union(*places), said)
    return mapping_as_said(found)
