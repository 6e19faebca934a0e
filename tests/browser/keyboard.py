"""A person's way through a page with the keyboard alone."""

from typing import Any

TABS_MAX = 120
IS_FOCUSED = "(one) => one === document.activeElement"


def tab_to(page: Any, wanted: Any, *, back: bool = False) -> None:
    """Presses Tab, or Shift+Tab, until the focus is there, as a person would."""
    wanted.wait_for()
    for _ in range(TABS_MAX):
        if wanted.evaluate(IS_FOCUSED):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{TABS_MAX} times Tab never came to {wanted}")


def press_on(page: Any, wanted: Any, *, back: bool = False) -> None:
    """Goes there with Tab, and presses Enter."""
    tab_to(page, wanted, back=back)
    page.keyboard.press("Enter")


def choose(page: Any, field: Any, value: str) -> None:
    """Goes to a list of choices with Tab, and down it by the arrow until the value is there."""
    tab_to(page, field)
    for _ in range(TABS_MAX):
        if field.input_value() == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"no arrow came to {value}")
