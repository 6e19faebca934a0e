"""docs/observability.md names every metric and every line there is, and no other."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway_service.metrics import GatewayMetrics
from scheduler_service.metrics import Metrics
from tests.observability.log_calls import calls_in, log_calls
from worker_service.metrics import LedgerMetrics, WorkerMetrics

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "observability.md").read_text(encoding="utf-8")
LINE = re.compile(r"^\| `(\w+)` \| (error|warning|info|debug) \| (.*?) ?\|", re.MULTILINE)
# The log writes this line itself, below every logger, and serves this metric.
OF_THE_LOG = ("log_lines_lost", "warning", {"lines"}, "carbonline_log_lines_lost_total")
THE_JOB = {"pipeline_id", "job_id", "claim_token", "tenant", "job_type"}
# What a worker's logger carries once a step is over.
BOUND = {"seconds"}
ROW = re.compile(r"^\| `(carbonline_\w+)` \| ([\w, ]*?) ?\|", re.MULTILINE)


def declared() -> dict[str, tuple[str, ...]]:
    """Every metric as it is scraped, with its labels."""
    registry = CollectorRegistry()
    found: dict[str, tuple[str, ...]] = {OF_THE_LOG[3]: ()}
    kinds = (Metrics, WorkerMetrics, LedgerMetrics, GatewayMetrics)
    for metrics in (kind(registry) for kind in kinds):
        for metric in vars(metrics).values():
            if hasattr(metric, "describe") and metric is not registry:
                (family,) = metric.describe()
                suffix = "_total" if family.type == "counter" else ""
                found[family.name + suffix] = metric._labelnames
    return found


def test_every_metric_is_documented_with_its_labels() -> None:
    documented = {name: tuple(re.findall(r"\w+", labels)) for name, labels in ROW.findall(PAGE)}
    assert documented == declared()


def documented_lines() -> dict[tuple[str, str], set[str]]:
    """Event and level -> fields, as the page lists them; none is listed twice."""
    rows = LINE.findall(PAGE)
    found = {(event, level): fields_of(fields) for event, level, fields in rows}
    assert len(found) == len(rows)
    return found


def fields_of(cell: str) -> set[str]:
    """The fields of a cell, with those that "the job" stands for."""
    return set(re.findall(r"`(\w+)`", cell)) | (THE_JOB if "the job" in cell else set())


def test_every_line_that_can_be_logged_is_documented_with_its_level_and_no_other() -> None:
    calls = log_calls()
    assert len(calls) > 50
    logged = {(call.event, call.level) for call in calls} | {OF_THE_LOG[:2]}
    assert sorted(documented_lines()) == sorted(logged)


@pytest.mark.parametrize("line", documented_lines(), ids=" ".join)
def test_the_fields_of_a_line_are_documented(line: tuple[str, str]) -> None:
    fields = documented_lines()[line]
    calls = [call for call in log_calls() if (call.event, call.level) == line]
    logged = set().union(*(call.fields for call in calls))
    logged |= OF_THE_LOG[2] if line == OF_THE_LOG[:2] else set()
    assert sorted(logged - fields) == []
    if not any(call.more for call in calls):
        assert sorted(fields - logged - THE_JOB - BOUND) == []


SOURCE = """
class Runner:
    def report(self, log, failed):
        log.info("begun", rows=1, **names)
        log_it = self._log.warning if failed else log.debug
        log_it("ended", exc_info=failed)
        task.exception()
"""


def test_calls_are_found_however_their_level_is_chosen(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text(SOURCE)
    found = {(c.event, c.level, tuple(c.fields), c.more) for c in calls_in(source)}
    assert found == {
        ("begun", "info", ("rows",), True),
        ("ended", "warning", ("exception",), False),
        ("ended", "debug", ("exception",), False),
    }


def test_an_event_name_must_be_readable_without_running_the_code(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text("def report(log, event):\n    log.info(event)\n")
    with pytest.raises(ValueError, match="logs what its source does not say"):
        list(calls_in(source))
