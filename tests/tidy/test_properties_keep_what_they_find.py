"""What a property test finds is told so that it can be found again."""

from hypothesis import settings


def test_a_failure_of_a_property_says_how_it_is_seen_again() -> None:
    assert settings().print_blob


def test_no_property_fails_because_a_machine_is_busy() -> None:
    assert settings().deadline is None
