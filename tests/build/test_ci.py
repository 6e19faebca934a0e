"""What CI runs: the parts that need a browser have it."""

import asyncio
import shutil
from pathlib import Path

import pytest

from benchmarks import console_pages

RUN = Path(__file__).parents[2] / ".ci" / "run"
# Targets that look at the console in a browser.
IN_A_BROWSER = ("console-test", "bench-short")


def test_what_looks_at_the_console_is_given_a_browser() -> None:
    sections = [line for line in RUN.read_text("utf-8").splitlines() if line.startswith("section ")]
    for target in IN_A_BROWSER:
        (section,) = [one for one in sections if one.endswith(f" make {target}")]
        assert '"CARBONLINE_CHROMIUM=$chromium"' in section, section


def test_the_budgets_of_the_console_are_left_out_aloud_and_never_in_ci(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CARBONLINE_CHROMIUM", raising=False)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    sizes = console_pages.Sizes(1, 1, 1)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(RuntimeError, match="no Chromium"):
        asyncio.run(console_pages.measure(sizes))
    monkeypatch.delenv("CI")
    assert asyncio.run(console_pages.measure(sizes)) == []
    assert "left out: no Chromium" in capsys.readouterr().out
