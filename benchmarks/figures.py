"""Figures, the references measured beside them, and the dated rows they are kept in."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
NOT_KNOWN = "unknown"


@dataclass(frozen=True)
class Figure:
    """One measured number; `reference` was measured in the same run, on the same machine."""

    name: str
    value: float
    unit: str
    reference_name: str = ""
    reference: float | None = None

    def sentence(self) -> str:
        """The number, and how it compares."""
        sentence = f"{self.name}: {_short(self.value)} {self.unit}"
        if self.reference is None:
            return sentence
        ratio = self.value / self.reference if self.reference else 0.0
        return f"{sentence}; {self.reference_name} {_short(self.reference)}; ratio {ratio:.2f}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def append_row(command: str, postgres: str, figures: Sequence[Figure]) -> None:
    """One row for one part of one run."""
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, PostgreSQL {postgres}"
    figures_text = "<br>".join(figure.sentence() for figure in figures)
    row = f"| {moment} | {_commit()} | {machine} | `{command}` | {figures_text} |\n"
    with RESULTS.open("a", encoding="utf-8") as results:
        results.write(row)


def _commit() -> str:
    """The commit that was measured, "-dirty" if anything but the results differs from it."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git(
            "status", "--porcelain", "--", ":/", f":(exclude,top)benchmarks/{RESULTS.name}"
        )
    except (OSError, subprocess.SubprocessError):
        return NOT_KNOWN
    return commit + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    run = subprocess.run(
        ["git", *arguments], cwd=RESULTS.parent, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
