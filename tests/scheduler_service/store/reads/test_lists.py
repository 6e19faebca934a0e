"""A page and the place where the next one begins are of one moment."""

from typing import Any

import pytest

from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.statements import statement
from scheduler_service.store.reads import reads
from scheduler_service.store.reads.answers import JobPage
from scheduler_service.store.reads.filters import JobFilter, PipelineFilter
from tests.scheduler_service.store.store_driver import TENANT, StoreDriver

NOOP = Scope(TENANT)


class AfterASubmit:
    """A statement before which somebody submits a pipeline."""

    def __init__(self, driver: StoreDriver, name: str) -> None:
        self._driver = driver
        self._name = name

    async def rows(self, *given: Any, **values: Any) -> Any:
        await self._driver.submit("noop", NOOP)
        return await statement(self._name).rows(*given, **values)


@pytest.fixture
async def listed(driver: StoreDriver, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pipelines, newest first; a page looks at three, and while it is read one more comes."""
    made = [(await driver.submit("noop", NOOP)).pipeline_id for _ in range(9)]

    def asked(name: str) -> Any:
        is_second = name == "last_listed_pipeline"
        return AfterASubmit(driver, name) if is_second else statement(name)

    monkeypatch.setattr(reads, "PIPELINES_READ_MAX", 3)
    monkeypatch.setattr(reads, "statement", asked)
    return made[::-1]


async def test_pages_of_pipelines_show_each_once_while_others_come(
    driver: StoreDriver, listed: list[int]
) -> None:
    seen, before = list[int](), None
    for _ in listed:
        page = await driver.store.list_pipelines(PipelineFilter(TENANT, before_id=before))
        seen += [row.pipeline_id for row in page.pipelines]
        before = page.before_id
        if before is None:
            break
    assert [one for one in seen if one in listed] == listed


async def test_pages_of_jobs_show_each_once_while_others_come(
    driver: StoreDriver, listed: list[int]
) -> None:
    seen, before = list[int](), None
    for _ in listed:
        page = await driver.store.list_jobs(JobFilter(TENANT, before=before))
        assert isinstance(page, JobPage)
        seen += [row.pipeline_id for row in page.jobs]
        before = page.before
        if before is None:
            break
    assert [one for one in seen if one in listed] == listed
