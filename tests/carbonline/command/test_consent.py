"""A question is whole on a terminal of any width, and its answer stands behind it."""

import pytest
from rich.cells import cell_len

from carbonline.command.consent import _QUESTIONS, prompt


@pytest.mark.parametrize("width", [40, 55, 80])
@pytest.mark.parametrize("question", _QUESTIONS.values())
def test_a_question_breaks_between_words_and_leaves_room_for_the_answer(
    question: str, width: int
) -> None:
    asked = prompt(question, width)
    assert asked.split() == [*question.split(), "[y/N]:"]
    assert all(cell_len(line) < width for line in asked.split("\n"))
    assert asked.endswith("[y/N]: ")


def test_a_question_elsewhere_is_one_line() -> None:
    assert prompt("Shall all that go? Continue?", None) == "Shall all that go? Continue? [y/N]: "
