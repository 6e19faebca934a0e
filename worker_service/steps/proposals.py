"""Says how a file that another program may have written might be read. Nothing is read so."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from worker_service.carbon.csv_source.byte_stream import Open
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.declarations import Column
from worker_service.carbon.file_mapping import (
    AS_DECLARED,
    FileMapping,
    mapping_as_said,
    read_mapping,
)
from worker_service.carbon.parse.references import LOCATION_COLUMNS
from worker_service.carbon.proposed_mapping import codes_in, proposed_mapping, sample_of
from worker_service.carbon.workbooks.text_of import sheet_named
from worker_service.ledger.locations import known_codes
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.steps.input_file import InputFile
from worker_service.steps.stores import Stores
from worker_service.steps.table_report import Parsed

Read = TypeVar("Read")

# Nobody reads more, and a stranger's file has as many columns as it likes.
LEFT_OPEN_MAX = 20


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file that another program may have written: the columns that it is to have, and with which
    `mapping` it is read.
    """

    tenant: str
    open: Open
    columns: Sequence[Column]
    mapping: FileMapping

    async def read(self, stores: Stores, read: Callable[[], Read]) -> Read:
        """What `read` makes of the file, in a thread.

        Raises RefusedFile; one for missing columns has a proposal.
        """
        try:
            return await asyncio.to_thread(read)
        except RefusedFile as refused:
            if not refused.missing:
                raise
            found = await self.proposal(stores)
            columns = found.get("mapping", {}).get("columns", {}).values()
            is_near = found.get("left_open") or {*refused.missing}.intersection(columns)
            if not (is_near or self._is_elsewhere(found)):
                raise
            raise refused.proposing(found) from refused

    async def proposal(self, stores: Stores) -> dict[str, Any]:
        """What to say of the file, as a payload has it: `mapping`, with what was said already, and
        `sheet`; and `left_open`, what is not sure. Empty if that is all.
        """
        try:
            seen = await asyncio.to_thread(sample_of, self.open, self.columns, self.mapping)
        except RefusedFile:
            return {}
        codes = codes_in(seen.sample)
        async with stores.ledger.session() as conn:
            places = [
                await known_codes(conn, self.tenant, mode, codes) for mode in LOCATION_COLUMNS
            ]
        known: set[str] = set().union(*places)
        proposed = await asyncio.to_thread(
            proposed_mapping, self.columns, seen.sample, known, self.mapping
        )
        left_open = list(proposed.left_open[:LEFT_OPEN_MAX])
        found = replace(proposed.mapping, header_line=seen.guess.header_line)
        if found == AS_DECLARED and not seen.guess.sheet:
            return {"left_open": left_open} if left_open else {}
        mapping = mapping_as_said(self.mapping.completed_by(found))
        sheet = sheet_named(self.open) or seen.guess.sheet
        parts = {"mapping": mapping, "sheet": sheet, "left_open": left_open}
        return {name: said for name, said in parts.items() if said}

    def _is_elsewhere(self, proposal: Mapping[str, Any]) -> bool:
        """Whether it says of the sheet, or of the line of the header, what nobody has said."""
        line = proposal.get("mapping", {}).get("header_line", 0)
        sheet = proposal.get("sheet", "")
        return (line, sheet) != (self.mapping.header_line, sheet_named(self.open))

    async def proposal_beside(self, stores: Stores, parsed: Parsed) -> dict[str, Any]:
        """The same for a file that could be read, if something of it could not."""
        if not parsed.unread_columns and parsed.rejected.is_empty():
            return {}
        return await self.proposal(stores)


def foreign_file(job: ClaimedJob, file: InputFile, columns: Sequence[Column]) -> ForeignFile:
    """The file of a job, read with the mapping of its payload."""
    mapping = read_mapping(job.payload.get("mapping"))
    return ForeignFile(job.tenant, file.open, columns, mapping)


async def read_table_file(
    stores: Stores, file: ForeignFile, read: Callable[[Open, FileMapping], Read]
) -> Read:
    """What `read` makes of the file and its mapping. Raises as `ForeignFile.read`."""
    return await file.read(stores, partial(read, file.open, file.mapping))
