"""What a provider brings, kept as a file: all of it, or nothing."""

import asyncio
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from carbonline.pluralize import pluralize
from worker_service.blobs.any_store import AnyBlobStore
from worker_service.blobs.store import BlobTooLarge
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.parse.values import TEXT_CHARACTERS_MAX
from worker_service.mechanics.run import Run
from worker_service.providers.provider import Page, Provider, Wanted
from worker_service.steps.input_file import InputFile, Refusal

# What a cell keeps of a longer text. Readers reject a row with half of it, by its reason, and a
# line that they refuse as a whole costs all others.
CELL_CHARACTERS_MAX = 2 * TEXT_CHARACTERS_MAX
# JSON may have what no file of text has; one such record must not cost all others.
_IN_NO_TEXT = re.compile("[\0\ud800-\udfff]")
REPLACED = "characters that are none of a text, which were replaced by \N{REPLACEMENT CHARACTER}"


@dataclass(slots=True)
class Left:
    """What the provider did not bring as it was."""

    dropped: Counter[str] = field(default_factory=Counter)
    assumed: Counter[str] = field(default_factory=Counter)

    def stats(self) -> Mapping[str, Any]:
        """Stats of the job."""
        return {
            "rows_dropped": self.dropped.total(),
            "dropped": dict(sorted(self.dropped.items())),
            "assumed": dict(sorted(self.assumed.items())),
        }

    def sentences(self) -> list[str]:
        """Such as "2 records of the service were left out: 2 with no flight."."""
        said = []
        if total := self.dropped.total():
            were = "was" if total == 1 else "were"
            reasons = ", ".join(f"{n:,} with {reason}" for reason, n in self.dropped.most_common())
            records = pluralize(total, "record")
            said.append(f"{records} of the service {were} left out: {reasons}.")
        said += [f"{pluralize(count, 'row')} with {what}." for what, count in self.assumed.items()]
        return said


def provider_of(providers: Sequence[Provider], run: Run, brings: str) -> Provider:
    """The provider that the payload names. Raises Refusal if there is none, or for other rows."""
    wanted = str(run.job.payload.get("provider", ""))
    known = {one.name: one for one in providers}
    provider = known.get(wanted)
    if provider is None:
        there = f"It has {', '.join(known)}." if known else "It has none."
        raise Refusal(
            "provider_not_configured",
            f"This worker has no settings for a provider {shown_text(wanted)}. {there}"
            " docs/operating.md says how to set one up; all workers need the same.",
        )
    if brings != provider.brings:
        raise Refusal(
            "provider_of_another_type", f"{provider.name} brings {provider.brings}, not {brings}."
        )
    return provider


async def fetched_file(
    blobs: AnyBlobStore,
    provider: Provider,
    run: Run,
    left: Left,
    arrived: Callable[[int, int], None],
) -> InputFile:
    """The file of all rows, kept as soon as the last one is there.

    `arrived` gets how many records have come, of about how many. Raises ProviderError, and Refusal
    for no rows.
    """
    job = run.job
    assert job.year is not None, "the scheduler checks the scope"
    scope = {"tenant": job.tenant, "year": job.year}
    if job.data_entry_type is not None:
        scope |= {"module": job.module, "data_entry_type": job.data_entry_type}
    fetched = 0
    with blobs.begin(job.tenant, file_name_of(provider, job.year), scope) as upload:
        await asyncio.to_thread(_write, upload.write, Page([provider.columns]))
        async with aclosing(provider.pages(Wanted(job.year, run.check))) as pages:
            async for page in pages:
                replaced = await asyncio.to_thread(_write, upload.write, page)
                left.dropped.update(page.dropped)
                left.assumed.update(page.assumed)
                if replaced:
                    left.assumed[REPLACED] += replaced
                fetched += len(page.rows) + sum(page.dropped.values())
                arrived(fetched, max(page.total, fetched))
        run.check()
        kept = await asyncio.to_thread(upload.keep)
    if fetched == left.dropped.total():
        nothing = f"{provider.name} has no rows of {job.year}, so nothing was changed."
        raise Refusal("no_rows", " ".join([nothing, *left.sentences()]))
    return InputFile(blobs, kept.reference)


def file_name_of(provider: Provider, year: int) -> str:
    """How people see the file."""
    return f"{provider.name}_{year}.csv"


def _write(write: Callable[[bytes], None], page: Page) -> int:
    """Of how many rows characters were replaced."""
    lines, replaced = _lines(page.rows)
    try:
        write(lines)
    except BlobTooLarge as too_large:
        raise Refusal("rows_too_large", f"The rows are too many: {too_large}.") from too_large
    return replaced


def _lines(rows: Sequence[Sequence[str]]) -> tuple[bytes, int]:
    """The rows as CSV, and in how many of them characters were replaced."""
    lines = io.StringIO()
    cut = ([cell[:CELL_CHARACTERS_MAX] for cell in row] for row in rows)
    csv.writer(lines, lineterminator="\n").writerows(cut)
    text, characters = _IN_NO_TEXT.subn("\N{REPLACEMENT CHARACTER}", lines.getvalue())
    replaced = sum(any(map(_IN_NO_TEXT.search, row)) for row in rows) if characters else 0
    return text.encode(), replaced
