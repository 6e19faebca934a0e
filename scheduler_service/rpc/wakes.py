"""Wakes long polls and watches. A wake-up is only a hint: whoever wakes reads the tables again."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

# Beyond so many names, whoever is told reads everything.
PIPELINES_NAMED_MAX = 1_000


class ChangedPipelines:
    """The pipelines that have changed since somebody last took them. One reader has it."""

    def __init__(self, named_max: float = PIPELINES_NAMED_MAX) -> None:
        """Nothing has changed."""
        self._named_max = named_max
        self._named: set[int] = set()
        self._is_any = False
        self.event = asyncio.Event()

    def note(self, pipelines: frozenset[int] | None) -> None:
        """These have changed; None means that any may have."""
        if pipelines is not None and not pipelines:
            return
        self._is_any |= pipelines is None
        self._named |= pipelines or frozenset()
        if len(self._named) > self._named_max:
            self._named, self._is_any = set(), True
        self.event.set()

    def take(self) -> set[int] | None:
        """Those that were noted since the last call; None means that any may have changed."""
        taken = None if self._is_any else self._named
        self._named, self._is_any = set(), False
        self.event.clear()
        return taken


class Wakes:
    """Knows who waits for which job types, and which pipelines changed since the last look."""

    def __init__(self) -> None:
        """Start with nobody waiting and nothing changed."""
        self._by_type: dict[str, set[asyncio.Event]] = {}
        self._active: set[int] = set()
        self._hints: Counter[str] = Counter()
        self._hints_of_all = 0
        # For watches of single pipelines, which know the few that they need.
        self._watched = ChangedPipelines(named_max=math.inf)
        self.pipelines_changed = self._watched.event
        # For watches of all pipelines of a tenant.
        self.listed = ChangedPipelines()

    def hint(self, job_types: frozenset[str] | None, pipelines: frozenset[int] | None) -> None:
        """Wake whoever waits for these job types, and note that these pipelines changed.

        None stands for all of them: something was missed, so everybody looks again.
        """
        if job_types is None:
            self._hints_of_all += 1
        else:
            self._hints.update(job_types)
        for job_type in self._by_type if job_types is None else job_types:
            for event in self._by_type.get(job_type, ()):
                event.set()
        self._watched.note(pipelines)
        self.listed.note(pipelines)

    def hint_activity(self, pipelines: frozenset[int]) -> None:
        """Note that jobs of these pipelines run or have progress: no row of a pipeline changed."""
        self._active |= pipelines
        if pipelines:
            self.pipelines_changed.set()
        # A claim makes a pipeline RUNNING, which its row tells.
        self.listed.note(pipelines)

    @contextmanager
    def waiting_for(self, job_types: Iterable[str]) -> Iterator[asyncio.Event]:
        """An event that is set when jobs of these types may be queued. Registered for the block."""
        event = asyncio.Event()
        names = tuple(job_types)
        for name in names:
            self._by_type.setdefault(name, set()).add(event)
        try:
            yield event
        finally:
            for name in names:
                self._by_type[name].discard(event)
                if not self._by_type[name]:
                    del self._by_type[name]

    def hints_of(self, job_types: Iterable[str]) -> int:
        """How many hints there have been that concern jobs of these types."""
        return self._hints_of_all + sum(self._hints[name] for name in job_types)

    def take_pipelines(self) -> set[int] | None:
        """The pipelines that changed since the last call. None means that any may have changed."""
        return self._watched.take()

    def take_active(self) -> set[int]:
        """The pipelines whose jobs run or have progress since the last call."""
        taken, self._active = self._active, set()
        return taken
