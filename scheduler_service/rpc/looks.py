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
# What runs or has progress is read with the next change, or alone if none comes in so long.
ACTIVITY_SECONDS = 0.05


class Looks:
    """Which pipelines have changed and are not read yet. Its clock is that of the caller."""

    def __init__(self, feeds: Mapping[int, Feed], wakes: Wakes) -> None:
        """`feeds` are those that are watched at each moment, by pipeline."""
        self._feeds = feeds
        self._wakes = wakes
        self._changed: set[int] = set()
        # Pipelines with activity, and until when it may wait.
        self._active: dict[int, float] = {}
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
            if pipeline_id in self._changed or pipeline_id in self._active:
                self._wakes.pipelines_changed.set()

    def note(self, pipelines: set[int] | None) -> None:
        """Note that these pipelines have changed, or that all may have."""
        wanted = self._feeds.keys() | self._beginning.keys()
        self._changed |= wanted if pipelines is None else pipelines & wanted

    def note_activity(self, pipelines: set[int], now: float) -> None:
        """Note that jobs of these pipelines run or have progress."""
        for one in pipelines & (self._feeds.keys() | self._beginning.keys()):
            self._active.setdefault(one, now + ACTIVITY_SECONDS)

    def take_due(self, now: float) -> list[Feed]:
        """The feeds to read now. They count as read."""
        wanted = self._feeds.keys() | self._beginning.keys()
        self._changed &= wanted
        self._active = {one: at for one, at in self._active.items() if one in wanted}
        due = [feed for feed in self._waiting_feeds() if self._due_at(feed) <= now]
        for feed in due:
            feed.looks_paid_until = max(feed.looks_paid_until, now) + LOOK_AGAIN_SECONDS
            self._changed.discard(feed.pipeline_id)
            self._active.pop(feed.pipeline_id, None)
        return due

    def next_due_at(self) -> float:
        """When the next of these feeds may be read. Infinite if there is nothing to read."""
        return min(map(self._due_at, self._waiting_feeds()), default=math.inf)

    def _waiting_feeds(self) -> list[Feed]:
        waiting = sorted(self._changed | self._active.keys())
        return [self._feeds[one] for one in waiting if one in self._feeds]

    def _due_at(self, feed: Feed) -> float:
        at_pace = feed.looks_paid_until - (LOOKS_AT_ONCE - 1) * LOOK_AGAIN_SECONDS
        if feed.pipeline_id in self._changed:
            return at_pace
        return max(at_pace, self._active[feed.pipeline_id])
