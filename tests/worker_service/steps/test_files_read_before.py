"""A file that was read before is not read again, and its answer is the same as if it were."""

import random
from itertools import count
from pathlib import Path

import pytest
import structlog

from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import CDG, JFK, UNITS, WorkerHarness, flights
from tests.worker_service.steps.test_housekeeping import NOTHING_IS_OLD
from worker_service.blobs.store import BlobStore
from worker_service.mechanics.outcome import Failed, Outcome, Succeeded
from worker_service.settings import read_settings
from worker_service.steps import reading_key
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
    flights(CDG, "0828,GVA,CDG,1,economy,none,"),
)
TOKENS = count(1_000_000)


async def ingest(harness: WorkerHarness, text: str, **said: str) -> Outcome:
    token = next(TOKENS)
    payload = {"blob": harness.blob(text), "file_name": "a.csv", **said}
    return await run_csv_ingest(
        harness.stores, claim("csv_ingest", token, payload=payload, pipeline_id=token).run
    )


async def forget_readings(harness: WorkerHarness) -> None:
    await harness.rows("UPDATE carbon.entry_sets SET reading = NULL")


def lose_blobs(harness: WorkerHarness) -> None:
    """Nothing can be read any more."""
    blobs = harness.stores.blobs
    assert isinstance(blobs, BlobStore)
    for path in blobs.folder.rglob("*"):
        if path.is_file() and path.suffix != ".lock":
            Path(path).unlink()


async def once_more(harness: WorkerHarness, text: str, **said: str) -> Outcome:
    """The same file, which cannot be read."""
    token = next(TOKENS)
    payload = {"blob": harness.blob(text), "file_name": "a.csv", **said}
    lose_blobs(harness)
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


async def test_a_file_with_something_to_say_of_its_rows_is_read_again(
    harness: WorkerHarness,
) -> None:
    for text in FILES[2:]:
        await ingest(harness, text, take_away="yes")
        assert isinstance(await once_more(harness, text), Failed)


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
    async with open_jobs(settings, NOTHING_IS_OLD, structlog.get_logger()):
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
