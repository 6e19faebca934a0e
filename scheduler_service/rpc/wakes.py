"""Wakes long polls and watches. A wake-up is only a hint: whoever wakes reads the tables again."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class Wakes:
    """Knows who waits for which job types, and which pipelines changed since the last look."""

    def __init__(self) -> None:
        """Start with nobody waiting and nothing changed."""
        self._by_type: dict[str, set[asyncio.Event]] = {}
        self._pipelines: set[int] = set()
        self._any_pipeline = False
        self._active: set[int] = set()
        self._hints: Counter[str] = Counter()
        self._hints_of_all = 0
        self.pipelines_changed = asyncio.Event()

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
        if pipelines is None:
            self._any_pipeline = True
        else:
            self._pipelines |= pipelines
        if pipelines is None or pipelines:
            self.pipelines_changed.set()

    def hint_activity(self, pipelines: frozenset[int]) -> None:
        """Note that jobs of these pipelines run or have progress: no row of a pipeline changed."""
        self._active |= pipelines
        if pipelines:
            self.pipelines_changed.set()

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
        taken = None if self._any_pipeline else self._pipelines
        self._pipelines, self._any_pipeline = set(), False
        self.pipelines_changed.clear()
        return taken

    def take_active(self) -> set[int]:
        """The pipelines whose jobs run or have progress since the last call."""
        taken, self._active = self._active, set()
        return taken
