"""A file whose tests follow each other is run by one process, wherever xdist would cut."""

from pathlib import Path

import pytest
from xdist.scheduler import LoadScheduling

from tests.whole_stories import WholeStories, is_story, pytest_xdist_make_scheduler, whole

STORY, OTHER = "tests/carbonline/command/test_places.py", "tests/tidy/test_whole_stories.py"


def test_a_story_is_never_cut() -> None:
    assert is_story(STORY)
    files = [OTHER, OTHER, STORY, STORY, STORY, OTHER]
    assert [whole(files, size) for size in range(8)] == [0, 1, 2, 5, 5, 5, 6, 7]
    assert whole([STORY] * 3, 1) == 3


def test_it_is_what_hands_out_the_tests(pytestconfig: pytest.Config) -> None:
    conftest = pytestconfig.pluginmanager.get_plugin(str(Path(__file__).parents[1] / "conftest.py"))
    assert conftest is not None
    assert conftest.pytest_xdist_make_scheduler is pytest_xdist_make_scheduler
    assert WholeStories._send_tests is not LoadScheduling._send_tests
