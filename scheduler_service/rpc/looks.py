"""When a watched pipeline is read: as soon as it changes, but not again and again without end."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from scheduler_service.rpc.feed import Feed
from scheduler_service.rpc.wakes import Wakes

# So many changes of a pipeline are read as they come. Each gives way to a later one in so long.
LOOKS_AT_ONCE = 10
LOOK_AGAIN_SECONDS = 0.1


class Looks:
    """Which pipelines have changed and are not read yet. Its clock is that of the caller."""

    def __init__(self, feeds: Mapping[int, Feed], wakes: Wakes) -> None:
        """`feeds` are those that are watched at each moment, by pipeline."""
        self._feeds = feeds
        self._wakes = wakes
        self._changed: set[int] = set()
        self._beginning: Counter[int] = Counter()

    @contextmanager
    def beginning(self, pipeline_id: int) -> Iterator[None]:
        """For the time from the first read of a watch until its feed is there.

        What changes meanwhile is read then: the first read may not have seen it.
        """
        self._beginning[pipeline_id] += 1
        try:
            yield
        finally:
            self._beginning[pipeline_id] -= 1
            self._beginning += Counter()
            if pipeline_id in self._changed:
                self._wakes.pipelines_changed.set()

    def note(self, pipelines: set[int] | None) -> None:
        """Note that these pipelines have changed, or that all may have."""
        wanted = self._feeds.keys() | self._beginning.keys()
        self._changed |= wanted if pipelines is None else pipelines & wanted

    def take_due(self, now: float) -> list[Feed]:
        """The feeds to read now. They count as read."""
        self._changed &= self._feeds.keys() | self._beginning.keys()
        due = [feed for feed in self._changed_feeds() if _due_at(feed) <= now]
        for feed in due:
            feed.looks_paid_until = max(feed.looks_paid_until, now) + LOOK_AGAIN_SECONDS
        self._changed -= {feed.pipeline_id for feed in due}
        return due

    def next_due_at(self) -> float:
        """When the next of the changed feeds may be read. Infinite if none has changed."""
        return min(map(_due_at, self._changed_feeds()), default=math.inf)

    def _changed_feeds(self) -> list[Feed]:
        return [self._feeds[one] for one in sorted(self._changed) if one in self._feeds]


def _due_at(feed: Feed) -> float:
    return feed.looks_paid_until - (LOOKS_AT_ONCE - 1) * LOOK_AGAIN_SECONDS
