"""The newest years, and what is on its way to them, as one state of both."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from carbonline.v1 import operations_pb2, types_pb2
from gateway_service.services import Services
from gateway_service.streams.rows import active_pipelines, newest_years

# While pipelines begin and end. Then a year has its turn in the next round.
LOOKS_MAX = 3

# A year and a module.
Place: TypeAlias = tuple[int, int]
Stale: TypeAlias = dict[Place, operations_pb2.ModuleFreshness]


def place_of(pipeline: types_pb2.Pipeline) -> Place:
    """Which totals it is about."""
    return pipeline.scope.year, pipeline.scope.module


class StandingYears:
    """Reads years for a follower.

    Totals are out of date only if nothing is on its way to them. Of a pipeline that has just begun,
    perhaps while another ended, the stream may tell after its year does. So for what is stale
    without a live pipeline one is looked for, and the year is read again: what it says before and
    after, with nothing live in between, is told.
    """

    def __init__(self, services: Services, token: str) -> None:
        self._services = services
        self._token = token
        # What was found to be stale, and nothing on its way.
        self._settled: Stale = {}

    async def read(
        self, live: Iterable[Place]
    ) -> tuple[list[operations_pb2.GetYearResponse], dict[int, types_pb2.Pipeline]]:
        """The years, and pipelines that are live besides those of `live`. Raises Problem."""
        begun: dict[int, types_pb2.Pipeline] = {}
        covered = set(live)
        years = await newest_years(self._services, self._token)
        for _ in range(LOOKS_MAX):
            stale = _stale_without(covered, years)
            if not (doubtful := self._doubtful(stale)):
                break
            begun.update(await self._active({year for year, _ in doubtful}))
            covered.update(map(place_of, begun.values()))
            years = await newest_years(self._services, self._token)
            now = _stale_without(covered, years)
            self._settled = {place: one for place, one in stale.items() if now.get(place) == one}
        stale = _stale_without(covered, years)
        doubtful = self._doubtful(stale)
        self._settled = {place: one for place, one in stale.items() if place not in doubtful}
        left_out = {year for year, _ in doubtful}
        return [one for one in years if one.year not in left_out], begun

    def _doubtful(self, stale: Stale) -> set[Place]:
        return {place for place, one in stale.items() if self._settled.get(place) != one}

    async def _active(self, years: Iterable[int]) -> Mapping[int, types_pb2.Pipeline]:
        answers = await asyncio.gather(
            *(active_pipelines(self._services, self._token, year) for year in years)
        )
        return {one.pipeline_id: one for found in answers for one in found}


def _stale_without(covered: set[Place], years: Iterable[operations_pb2.GetYearResponse]) -> Stale:
    def all_stale() -> Iterator[tuple[Place, operations_pb2.ModuleFreshness]]:
        for year in years:
            for one in year.modules:
                if not one.fresh:
                    yield (year.year, one.module), one

    return {place: one for place, one in all_stale() if place not in covered}
