"""A file goes when it is old and neither a job nor what counts in the ledger names it."""

from collections.abc import Sequence

import pytest
import structlog
from structlog.testing import capture_logs

from carbonline.client.channel import Credentials, open_channel
from tests.worker_service.blobs.in_folder import in_folder
from tests.worker_service.blobs.test_removal import age
from tests.worker_service.blobs.test_store import put
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    PLACES,
    UNITS,
    WORKER_ID,
    WorkerHarness,
    flights,
)
from worker_service.blobs.reference import BlobReference, read_reference
from worker_service.mechanics.scheduler import SchedulerRefused, SchedulerUnreachable
from worker_service.scheduler_client.client import SchedulerClient
from worker_service.scheduler_client.identity import WorkerIdentity
from worker_service.steps import unnamed_blobs
from worker_service.steps.unnamed_blobs import BlobRetention, NamedByJobs, remove_unnamed_blobs

LOG = structlog.get_logger()
KEPT_SECONDS = 90 * 24 * 3600.0
GOOD, BAD = flights(CDG), flights(CDG, CDG, CDG.replace("0828", "9999"))


@pytest.fixture(autouse=True)
def at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look is due, and a batch is small."""
    monkeypatch.setattr(unnamed_blobs, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(unnamed_blobs, "BATCH_MAX", 2)


async def removed(harness: WorkerHarness, by_jobs: NamedByJobs) -> int:
    retention = BlobRetention(KEPT_SECONDS, by_jobs)
    return (await remove_unnamed_blobs(harness.stores, retention, LOG)).files


async def by_no_job(_tenant: str, _blobs: Sequence[str]) -> Sequence[str]:
    return ()


async def asked_of_the_scheduler(harness: WorkerHarness) -> int:
    """As a worker does."""
    async with open_channel(f"unix:{harness.folder}/s", retries=False) as channel:
        client = SchedulerClient(
            channel, WorkerIdentity(WORKER_ID, "build", "host"), Credentials(None)
        )
        return await removed(harness, client.named_blobs)


def make_old(harness: WorkerHarness) -> None:
    for path in (harness.folder / "blobs" / "local").glob("??/" + "?" * 64):
        age(in_folder(harness.stores.blobs), BlobReference("local", path.name))


def is_kept(harness: WorkerHarness, name: str) -> bool:
    return in_folder(harness.stores.blobs).path(read_reference("local", name)).exists()


async def test_what_jobs_name_stays_with_its_rejected_rows_and_what_none_names_goes(
    harness: WorkerHarness,
) -> None:
    view = await harness.load_flights(BAD, unit="0828")
    rejected = view.in_order()[0].stats.fields["rejected_blob"].string_value
    never_submitted = harness.blob("never submitted")
    young = harness.blob("a moment ago")
    make_old(harness)
    harness.blob("a moment ago")
    theirs = put(harness.stores.blobs, b"of another tenant", tenant="theirs").reference
    age(in_folder(harness.stores.blobs), theirs)
    with capture_logs() as logged:
        assert await asked_of_the_scheduler(harness) == 1
    assert not is_kept(harness, never_submitted)
    for name in (young, rejected, harness.blob(BAD), harness.blob(FACTORS), harness.blob(UNITS)):
        assert is_kept(harness, name)
    assert in_folder(harness.stores.blobs).path(theirs).exists()
    # The scheduler, whose log is captured too, refuses the question about another's tenant.
    ours = [one for one in logged if one["event"] != "call_denied"]
    assert [(one["event"], one.get("of_tenant"), one.get("size_bytes")) for one in ours] == [
        ("blobs_stay", "theirs", None),
        ("blobs_removed", None, len("never submitted")),
    ]


async def test_what_counts_keeps_its_file_when_no_job_names_it_any_more(
    harness: WorkerHarness,
) -> None:
    replaced = harness.blob(GOOD)
    await harness.load_flights(GOOD)
    view = await harness.load_flights(BAD)
    rejected = view.in_order()[0].stats.fields["rejected_blob"].string_value
    before = await harness.kg()
    make_old(harness)
    # The third has the warnings about equal rows.
    assert await removed(harness, by_no_job) == 3
    assert not is_kept(harness, replaced)
    assert not is_kept(harness, rejected)
    for text in (BAD, FACTORS, PLACES, UNITS):
        assert put(harness.stores.blobs, text.encode()).already_stored
    # The file of the upload can be used again: for another year, say.
    assert await harness.kg() == before
    assert before["0828"] == pytest.approx(2 * GVA_CDG_KG)


async def test_lists_of_two_units_with_the_same_bytes_are_for_both_until_the_file_goes(
    harness: WorkerHarness,
) -> None:
    views = [
        await harness.load_flights(
            flights(CDG.replace("0828", unit), ",GVA,CDG,1,economy,many,"), unit=unit
        )
        for unit in ("0828", "0829")
    ]
    lists = {one.in_order()[0].stats.fields["rejected_blob"].string_value for one in views}
    assert len(lists) == 1, "of one content"
    [rejected] = lists
    assert await harness.units_of(rejected) == ["0828", "0829"]
    make_old(harness)
    await removed(harness, by_no_job)
    assert not is_kept(harness, rejected)
    assert await harness.units_of(rejected) == []


async def test_a_scheduler_that_does_not_answer_lets_nothing_go(harness: WorkerHarness) -> None:
    lonely = [harness.blob(f"never submitted {n}") for n in range(5)]
    make_old(harness)
    calls: list[int] = []

    async def silent(_tenant: str, blobs: Sequence[str]) -> Sequence[str]:
        calls.append(len(blobs))
        if len(calls) == 2:
            raise SchedulerUnreachable("it restarts")
        return ()

    with pytest.raises(SchedulerUnreachable):
        await removed(harness, silent)
    assert max(calls) == unnamed_blobs.BATCH_MAX
    # The look was not completed, so the next one is due at once.
    gone_before = sum(not is_kept(harness, name) for name in lonely)
    assert gone_before <= 2
    assert await removed(harness, by_no_job) == len(lonely) - gone_before


async def test_a_tenant_that_the_worker_does_not_act_for_keeps_all(
    harness: WorkerHarness,
) -> None:
    theirs = put(harness.stores.blobs, b"theirs", tenant="a-first").reference
    age(in_folder(harness.stores.blobs), theirs)
    mine = harness.blob("mine")
    make_old(harness)

    async def only_local(tenant: str, _blobs: Sequence[str]) -> Sequence[str]:
        if tenant != "local":
            raise SchedulerRefused("PERMISSION_DENIED", "OTHER_TENANT", "use another token")
        return ()

    assert await removed(harness, only_local) > 0
    assert in_folder(harness.stores.blobs).path(theirs).exists()
    assert not is_kept(harness, mine)


async def test_a_file_that_is_uploaded_again_while_the_scheduler_is_asked_stays(
    harness: WorkerHarness,
) -> None:
    lonely = harness.blob("never submitted")
    make_old(harness)

    async def meanwhile(_tenant: str, _blobs: Sequence[str]) -> Sequence[str]:
        harness.blob("never submitted")
        return ()

    await removed(harness, meanwhile)
    assert is_kept(harness, lonely)
