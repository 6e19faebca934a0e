"""A file that was read before is not read again, and its answer is the same as if it were."""

import os
import random
from itertools import count
from pathlib import Path

import pytest
import structlog

from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import CDG, JFK, UNITS, WorkerHarness, flights
from tests.worker_service.steps.test_housekeeping import NOTHING_IS_OLD
from worker_service.blobs.reference import read_reference
from worker_service.blobs.store import BlobStore
from worker_service.extensions import NO_EXTENSIONS
from worker_service.mechanics.outcome import Failed, Outcome, Succeeded
from worker_service.settings import read_settings
from worker_service.steps import file_answer, reading_key
from worker_service.steps.csv_ingest import run_csv_ingest
from worker_service.steps.emission_recalc import run_emission_recalc
from worker_service.steps.reading_key import release_digest
from worker_service.steps.upload_withdrawal import run_upload_withdrawal
from worker_service.worker import open_jobs

FILES = (
    flights(CDG),
    # Shares a row with the first.
    flights(CDG, JFK),
    # Has a column that is not known.
    flights(JFK + "red").replace("kg_co2eq", "kg_co2eq,colour").replace(",red", ",,red"),
    # Has a rejected row.
    flights(CDG, '0828,GVA,CDG,1,economy,"no ""é""",'),
    # Has a row to look at, and is not UTF-8.
    flights("0828,GVA,CDG,M\xfcller,economy,20000,").encode("cp1252"),
)
NOTED = ("rejected_blob", "warned_blob")
TOKENS = count(1_000_000)


async def ingest(harness: WorkerHarness, text: str | bytes, **said: str) -> Outcome:
    token = next(TOKENS)
    payload = {"blob": harness.blob(text), "file_name": "a.csv", **said}
    return await run_csv_ingest(
        harness.stores, claim("csv_ingest", token, payload=payload, pipeline_id=token).run
    )


async def forget_readings(harness: WorkerHarness) -> None:
    await harness.rows("UPDATE carbon.entry_sets SET reading = NULL")


def lose_blobs(harness: WorkerHarness, *kept: str) -> None:
    """Nothing can be read any more, but blobs of these references."""
    blobs = harness.stores.blobs
    assert isinstance(blobs, BlobStore)
    for path in blobs.folder.rglob("*"):
        is_kept = any(one.rpartition(":")[2] in path.name for one in kept)
        if path.is_file() and path.suffix != ".lock" and not is_kept:
            Path(path).unlink()


async def once_more(harness: WorkerHarness, text: str | bytes, *kept: str, **said: str) -> Outcome:
    """The same file, which cannot be read."""
    token = next(TOKENS)
    payload = {"blob": harness.blob(text), "file_name": "a.csv", **said}
    lose_blobs(harness, *kept)
    return await run_csv_ingest(
        harness.stores, claim("csv_ingest", token, payload=payload, pipeline_id=token).run
    )


async def test_the_same_file_again_is_not_read(harness: WorkerHarness) -> None:
    first = await ingest(harness, FILES[1])
    assert isinstance(first, Succeeded)
    again = await once_more(harness, FILES[1])
    assert isinstance(again, Succeeded)
    assert again.stats["unchanged"]
    assert again.stats["rows"] == 2
    assert "nothing was changed" in again.message


async def test_another_list_of_units_has_it_read_again(harness: WorkerHarness) -> None:
    await ingest(harness, FILES[1])
    await harness.load_units(UNITS + "0999,One more\n")
    again = await once_more(harness, FILES[1])
    assert isinstance(again, Failed)
    assert again.cause == "blob_not_found"


async def test_another_sheet_has_it_read_again(harness: WorkerHarness) -> None:
    await ingest(harness, FILES[1])
    again = await once_more(harness, FILES[1], sheet="another")
    assert isinstance(again, Failed)


async def test_what_no_longer_counts_is_read_again(harness: WorkerHarness) -> None:
    await ingest(harness, FILES[1])
    await ingest(harness, FILES[0], take_away="yes")
    assert isinstance(await once_more(harness, FILES[1]), Failed)


def noted_blobs(harness: WorkerHarness, outcome: Outcome) -> dict[str, bytes]:
    """The files of rejected and of warned rows that an outcome names."""
    assert isinstance(outcome, Succeeded)
    found = {}
    for name in NOTED:
        if name in outcome.stats:
            reference = read_reference("local", outcome.stats[name])
            with harness.stores.blobs.open(reference) as blob:
                found[name] = blob.read(1 << 20)
    return found


@pytest.mark.parametrize("text", FILES[2:])
async def test_what_was_said_of_rows_is_said_again_without_reading_them(
    harness: WorkerHarness, text: str | bytes
) -> None:
    first = await ingest(harness, text)
    assert isinstance(first, Succeeded)
    assert first.warnings
    noted = noted_blobs(harness, first)
    names = [first.stats[name] for name in noted]
    again = await once_more(harness, text, *names)
    assert isinstance(again, Succeeded)
    assert again.warnings
    assert again.stats == {**first.stats, "unchanged": True}
    assert noted_blobs(harness, again) == noted
    assert "nothing was changed" in again.message


async def test_the_blob_of_rejected_rows_is_that_of_the_later_job_too(
    harness: WorkerHarness,
) -> None:
    first = await ingest(harness, FILES[3])
    assert isinstance(first, Succeeded)
    reference = read_reference("local", first.stats["rejected_blob"])
    blobs = harness.stores.blobs
    assert isinstance(blobs, BlobStore)
    path = blobs.path(reference)
    os.utime(path, (1.0, 1.0))
    again = await ingest(harness, FILES[3])
    assert isinstance(again, Succeeded)
    # So it goes some time after the later job, and not after the first.
    assert path.stat().st_mtime > 1.0
    assert noted_blobs(harness, again) == noted_blobs(harness, first)


async def test_a_file_whose_rejected_rows_are_gone_is_read_again(harness: WorkerHarness) -> None:
    await ingest(harness, FILES[3])
    lose_blobs(harness)
    expected = await ingest(harness, FILES[3])
    assert isinstance(expected, Succeeded)
    assert expected.stats["rows_rejected"] == 1
    assert set(noted_blobs(harness, expected)) == {"rejected_blob"}


async def test_a_file_of_which_too_much_was_said_is_read_again(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_answer, "ANSWER_BYTES_MAX", 300)
    first = await ingest(harness, FILES[3])
    assert isinstance(first, Succeeded)
    again = await once_more(harness, FILES[3], first.stats["rejected_blob"])
    assert isinstance(again, Failed)


async def test_what_is_installed_beside_a_running_worker_is_not_what_reads_its_files(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = release_digest()
    release_digest.cache_clear()
    settings = read_settings(
        {
            "CARBONLINE_LEDGER_DATABASE_URL": harness.ledger.database_url,
            "CARBONLINE_SCHEDULER_ADDRESS": "unix:nobody.sock",
            "CARBONLINE_BLOB_FOLDER": str(harness.folder),
        }
    )
    async with open_jobs(settings, NO_EXTENSIONS, NOTHING_IS_OLD, structlog.get_logger()):
        monkeypatch.setattr(reading_key, "distributions", list)
        assert release_digest() == running


@pytest.mark.parametrize("with_gap", [0, 1])
async def test_rows_that_have_other_numbers_in_another_file_are_told_by_their_own(
    harness: WorkerHarness, with_gap: int
) -> None:
    await ingest(harness, flights(CDG), source="beside")
    # The same rows, the last one as row 2 or as row 3.
    files = [flights(JFK, CDG), flights(JFK, "", CDG)]
    await ingest(harness, files[1 - with_gap])
    told = [await ingest(harness, files[with_gap]) for _ in range(2)]
    for one in told:
        assert isinstance(one, Succeeded)
        assert one.stats["unchanged"]
        assert [row["row"] for row in one.stats["counted_twice_rows"]] == [2 + with_gap]


async def test_another_file_with_the_same_rows_is_not_read_again_either(
    harness: WorkerHarness,
) -> None:
    await ingest(harness, FILES[1])
    other = FILES[1].replace("\n", "\r\n")
    await ingest(harness, other)
    assert isinstance(await once_more(harness, other), Succeeded)


@pytest.mark.parametrize("seed", [1, 2])
async def test_answers_are_those_of_files_that_are_read(harness: WorkerHarness, seed: int) -> None:
    chance = random.Random(seed)
    await ingest(harness, FILES[0])
    for number in range(12):
        await _something_changes(harness, chance, number)
        text, source = chance.choice(FILES), chance.choice(["a", "b"])
        said = {"source": source, "take_away": "yes"}
        await ingest(harness, text, **said)
        await forget_readings(harness)
        # Which notes how it was read, and so the next one is not read.
        expected = await ingest(harness, text, **said)
        assert await ingest(harness, text, **said) == expected


async def _something_changes(harness: WorkerHarness, chance: random.Random, number: int) -> None:
    match chance.randrange(4):
        case 0:
            await harness.load_units(UNITS + f"1{number:03},Another\n")
        case 1:
            of = claim("emission_recalc", next(TOKENS))
            await run_emission_recalc(harness.stores, of.run)
        case 2:
            sets = await harness.rows(
                "SELECT entry_set FROM carbon.entry_sets WHERE state = 'PUBLISHED'"
            )
            if sets:
                payload = {"upload_id": chance.choice(sets)["entry_set"]}
                of = claim("upload_withdrawal", next(TOKENS), payload=payload)
                await run_upload_withdrawal(harness.stores, of.run)
        case _:
            await ingest(harness, chance.choice(FILES), source="c", take_away="yes")
