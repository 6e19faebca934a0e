"""The rows that a hub keeps, each with the number of the round that changed it."""

from collections.abc import Iterable, Mapping

from carbonline.v1 import types_pb2
from gateway_service.streams.rows import LIVE, Key, Row

FINISHED = types_pb2.JobState.Name(types_pb2.JOB_STATE_FINISHED)
# Beyond them, what has ended goes first, then jobs of what is live; of each the oldest changes.
# Pages ask for those themselves.
ROWS_MAX = 5_000
_LIVE_NAMES = frozenset(map(types_pb2.PipelineStatus.Name, LIVE))


class KeptRows:
    """Of each row the newest state."""

    def __init__(self) -> None:
        self._rows: dict[Key, Row] = {}
        self._changed: dict[Key, int] = {}
        # The number of the newest round that changed anything.
        self.number = 0
        # The greatest number of a pipeline that was ever told.
        self.newest = 0
        # The newest round in which something went, or all was told anew: who has not seen it must
        # have all rows.
        self._went = 0

    def take(self, rows: Mapping[Key, Row], *, whole: bool, anew: bool = False) -> bool:
        """Keeps the rows of a round; whether there is news. A `whole` round names all that is live.
        With `anew` all rows are told once more, to everybody.
        """
        gone = [key for key in self._live() if key not in rows] if whole else []
        news = {key: row for key, row in rows.items() if _is_news(self._rows.get(key), row)}
        if not (news or gone or anew) and self.number:
            return False
        self.number += 1
        self._forget(gone)
        if gone or anew:
            self._went = self.number
        for key, row in news.items():
            # The newest change stands last.
            self._forget([key])
            self._rows[key] = row
            self._changed[key] = self.number
            if key[0] == "pipelines":
                self.newest = max(self.newest, int(key[1]))
        self._forget(self._beyond())
        return True

    def begin(self, number: int) -> int:
        """After which round to tell somebody who has seen this one: 0 is all rows anew."""
        return number if number >= self._went else 0

    def newer(self, number: int) -> list[tuple[Key, Row]]:
        """The rows that changed after a round, oldest change first."""
        found = []
        for key in reversed(self._rows):
            if self._changed[key] <= number:
                break
            found.append((key, self._rows[key]))
        return found[::-1]

    def _live(self) -> list[Key]:
        return [key for key, row in self._rows.items() if row.get("status") in _LIVE_NAMES]

    def _beyond(self) -> list[Key]:
        count = len(self._rows) - ROWS_MAX
        if count <= 0:
            return []
        live = {number for _, number in self._live()}

        def worth(key: Key) -> int:
            name, number = key
            if name == "years":
                return 3
            if name == "pipelines":
                return 2 if number in live else 0
            return 1 if self._rows[key]["pipeline_id"] in live else 0

        # Of equals, which keep their order, the oldest change goes first.
        return sorted(self._rows, key=worth)[:count]

    def _forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._rows.pop(key, None)
            self._changed.pop(key, None)


def _is_news(known: Row | None, row: Row) -> bool:
    if known is None:
        return True
    # What runs is told beside what has ended, and may come late.
    is_late = known.get("state") == FINISHED and row.get("state") != FINISHED
    return known != row and not is_late
