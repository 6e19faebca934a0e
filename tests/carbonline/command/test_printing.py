"""Values as people read them."""

from decimal import Decimal

from carbonline.command.printing import kilograms


def test_kilograms_are_those_of_the_exact_decimal() -> None:
    assert kilograms(Decimal("12345678901234567.0005001")) == "12,345,678,901,234,567.001"


def test_kilograms_have_three_decimals() -> None:
    assert kilograms(110161851.046) == "110,161,851.046"
