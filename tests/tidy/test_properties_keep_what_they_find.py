"""What a property test finds is told so that it can be found again."""

from hypothesis import settings


def test_a_failure_of_a_property_says_how_it_is_seen_again() -> None:
    assert settings().print_blob
