"""A run whose jobs stand still ends with a word of each of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.shake.settling import EXPLAINED_MAX, LEFT, LIVE, settled


class RunOfOneQuery:
    """A stack on which these jobs are left."""

    def __init__(self, jobs: int) -> None:
        self._left = [{"job_id": number, "tenant": "local"} for number in range(1, jobs + 1)]
        self.asked: list[tuple[str, ...]] = []

    async def rows(self, query: str) -> Sequence[Mapping[str, Any]]:
        """As the tables would say it."""
        answers: Mapping[str, Sequence[Mapping[str, Any]]] = {
            LIVE: [{"count": len(self._left)}],
            LEFT: self._left,
        }
        return answers.get(query, [{"finished": 0, "claimed": 0, "done": 0}])

    async def command(self, *words: str) -> tuple[int | None, str]:
        """Says what it was asked."""
        self.asked.append(words)
        return 0, f"what {words[0]} says"


async def test_each_job_that_is_left_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    run = RunOfOneQuery(EXPLAINED_MAX + 1)
    with pytest.raises(AssertionError, match="21 live after"):
        await settled(run, stands_still_seconds_max=0.0)
    for job in range(1, EXPLAINED_MAX + 1):
        assert ("explain", str(job)) in run.asked
        assert ("job", str(job)) in run.asked
    assert ("verify", "--tenant", "local") in run.asked
    assert len(run.asked) == 2 * EXPLAINED_MAX + 2
    said = capsys.readouterr().out
    assert "21 jobs are left" in said
    assert "$ carbonline explain 1  (0)\nwhat explain says" in said


async def test_who_has_nothing_left_is_told_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    run = RunOfOneQuery(0)
    await settled(run)
    assert run.asked == []
    assert capsys.readouterr().out == ""
