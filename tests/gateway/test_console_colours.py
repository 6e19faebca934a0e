"""The console's colours, as its tokens declare them: contrast in light and in dark (WCAG 1.4.3,
1.4.11), computed as the guidelines define it.
"""

import re

import pytest

from gateway_service.console.page import STATIC

TOKEN = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
TEXT = 4.5
GRAPHICS = 3.0
SURFACES = ("paper", "sheet")
INKS = ("ink", "soft", "accent", "ok", "run", "warn", "bad", "mute")
# What is drawn: edges of fields, bars of the scopes.
DRAWN = ("edge", "scope-1", "scope-2", "scope-3")
TINTS = tuple(f"tint-{number}" for number in range(7))


def tokens(dark: bool) -> dict[str, str]:
    text = (STATIC / "style" / "tokens.css").read_text("utf-8")
    return {name: pair[dark] for name, *pair in TOKEN.findall(text)}


def luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def too_faint(
    colours: dict[str, str], front: tuple[str, ...], back: tuple[str, ...], least: float
) -> list[str]:
    return [
        f"{one} on {other}: {contrast(colours[one], colours[other]):.2f}"
        for one in front
        for other in back
        if contrast(colours[one], colours[other]) < least
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_its_contrast_on_every_surface(dark: bool) -> None:
    colours = tokens(dark)
    assert too_faint(colours, INKS, SURFACES, TEXT) == []
    assert too_faint(colours, ("on-accent",), ("accent",), TEXT) == []
    assert too_faint(colours, ("ink", "soft"), TINTS, TEXT) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_is_drawn_is_seen(dark: bool) -> None:
    assert too_faint(tokens(dark), DRAWN, SURFACES, GRAPHICS) == []


def test_nothing_but_a_disabled_control_is_made_fainter_than_its_colour() -> None:
    """WCAG asks no contrast of disabled controls. Opacity would take it from any other text."""
    rules = [
        f"{file.name}: {selector.strip()}"
        for file in sorted((STATIC / "style").glob("*.css"))
        for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", file.read_text("utf-8"))
        if "opacity" in body and ":disabled" not in selector
    ]
    assert rules == []
