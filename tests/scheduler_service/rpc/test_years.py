"""Years as people see them: which there are, and which totals each has."""

from carbonline.v1 import interventions_pb2, monitoring_pb2, types_pb2
from carbonline.v1 import operations_pb2 as ops
from tests.scheduler_service.rpc.conftest import BLOB, Client
from tests.scheduler_service.rpc.test_a_pipeline_over_the_wire import (
    TRAVEL,
    chain,
    run_to_the_end,
)

OTHER = (("authorization", "Bearer other"),)


async def travel(client: Client) -> ops.ModuleFreshness:
    """The only module of 2024, which both RPCs describe alike."""
    got = await client.operations.GetYear(ops.GetYearRequest(year=2024))
    listed = await client.operations.ListYears(ops.ListYearsRequest())
    assert list(listed.years) == [got]
    (module,) = got.modules
    found: ops.ModuleFreshness = module
    return found


async def test_years_are_listed_newest_first_on_pages(client: Client) -> None:
    for year in (2023, 2025, 2024):
        await client.provision(year)
    await client.operations.LockPeriod(interventions_pb2.LockPeriodRequest(year=2023))
    # Its units are on their way.
    await client.submit("unit_sync", types_pb2.Scope(year=2026), {"blob": BLOB})
    pages: list[list[tuple[int, bool, bool]]] = []
    token = ""
    while not pages or token:
        request = ops.ListYearsRequest(page_size=3, page_token=token)
        answer = await client.operations.ListYears(request)
        pages.append([(one.year, one.provisioned, one.locked) for one in answer.years])
        token = answer.next_page_token
    assert pages == [
        [(2026, False, False), (2025, True, False), (2024, True, False)],
        [(2023, True, True)],
    ]
    none = await client.operations.ListYears(ops.ListYearsRequest(), metadata=OTHER)
    assert list(none.years) == []


async def test_a_module_says_which_totals_it_has_and_since_when_and_why_they_are_stale(
    client: Client,
) -> None:
    await client.provision()
    await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    waiting = await travel(client)
    # Nothing has changed yet: an upload may.
    assert (waiting.fresh, waiting.totals_token, waiting.reason) == (False, 0, 0)
    assert not waiting.HasField("stale_since")
    (ingest,) = await client.claim("csv_ingest")
    await chain(client, ingest, "emission_recalc")
    await client.finish(ingest)
    changed = await travel(client)
    assert changed.reason == monitoring_pb2.STALE_REASON_NO_AGGREGATION_EVER
    assert changed.HasField("stale_since")
    assert not changed.HasField("computed_at")
    (recalc,) = await client.claim("emission_recalc")
    await chain(client, recalc, "aggregation")
    await client.finish(recalc)
    (aggregation,) = await client.claim("aggregation")
    await client.finish(aggregation)
    fresh = await travel(client)
    assert (fresh.fresh, fresh.totals_token, fresh.reason) == (True, aggregation.claim_token, 0)
    assert fresh.computed_at.ToNanoseconds() > changed.stale_since.ToNanoseconds()
    assert not fresh.HasField("stale_since")
    await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    await run_to_the_end(client)
    assert (await travel(client)).totals_token > fresh.totals_token


async def test_a_failed_aggregation_keeps_the_token_of_the_totals_that_stand(
    client: Client,
) -> None:
    await client.provision()
    await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    await run_to_the_end(client)
    before = await travel(client)
    await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    (ingest,) = await client.claim("csv_ingest")
    await chain(client, ingest, "emission_recalc")
    await client.finish(ingest)
    stale = await travel(client)
    assert stale.reason == monitoring_pb2.STALE_REASON_LAST_AGGREGATION_TOO_OLD
    (recalc,) = await client.claim("emission_recalc")
    await chain(client, recalc, "aggregation")
    await client.finish(recalc)
    # An aggregation that waits is not stuck before an hour has passed.
    assert (await travel(client)).reason == stale.reason
    (aggregation,) = await client.claim("aggregation")
    await client.finish(aggregation, types_pb2.JOB_RESULT_ERROR)
    failed = await travel(client)
    assert failed.reason == monitoring_pb2.STALE_REASON_LAST_AGGREGATION_FAILED
    assert (failed.totals_token, failed.computed_at) == (before.totals_token, before.computed_at)
