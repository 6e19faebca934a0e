"""What a check of a file found, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2

# Outcomes of entries that have kilograms.
BOOKED = frozenset({"computed", "overridden"})


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the upload of a file would do at the moment of the check. Nothing was written.

    `error_cause` says why nothing at all would be stored, "" if something would; `needs_consent`
    that the upload would be refused without `take_away`, and why. `outcomes` counts the accepted
    rows by what would become of them. `rows_warned` look doubtful, and would count. `replaces`
    describes the upload that would no longer count: upload_id, pipeline_id, file_name, rows,
    total_kg; empty for none. `is_unchanged`: the same rows count already.
    Kilograms of CO2 equivalents: of the file, and of all uploads of the type and year now
    (`kg_before`) and with the file (`kg_after`); None if nothing would be stored.
    `proposed_mapping` and `proposed_sheet`: how the file might be read; {} and "" for nothing.
    `left_open` has a sentence for each column that may be meant and is not proposed.
    `findings`: finding ("rejected", "doubtful", "counted_twice" or an outcome), row, column, value,
    reason. `rows_counted_twice` are rows, or people, that other uploads have, too.
    """

    pipeline_id: int
    message: str
    error_cause: str
    rows: int
    rows_accepted: int
    rows_rejected: int
    rows_warned: int
    outcomes: Mapping[str, int]
    unread_columns: Sequence[str]
    replaces: Mapping[str, Any]
    is_unchanged: bool
    needs_consent: str
    kg_of_file: float | None
    kg_before: float | None
    kg_after: float | None
    findings: Sequence[Mapping[str, Any]] = ()
    proposed_mapping: Mapping[str, Any] = field(default_factory=dict)
    proposed_sheet: str = ""
    rows_counted_twice: int = 0
    left_open: Sequence[str] = ()

    @property
    def rows_without_kg(self) -> int:
        """How many accepted rows would have no kilograms."""
        return sum(n for outcome, n in self.outcomes.items() if outcome not in BOOKED)

    @property
    def is_good(self) -> bool:
        """Whether every row would count, with kilograms, without anybody's consent."""
        flawed = self.rows_rejected or self.rows_without_kg
        return not (self.error_cause or flawed or self.needs_consent)


def check_report(job: types_pb2.Job, findings: Sequence[Mapping[str, Any]] = ()) -> CheckReport:
    """The report of a csv_check that has ended."""
    stats = values_of(job.stats)
    return CheckReport(
        job.pipeline_id,
        job.message,
        job.error_cause,
        int(stats.get("rows", 0)),
        int(stats.get("rows_accepted", 0)),
        int(stats.get("rows_rejected", 0)),
        int(stats.get("rows_warned", 0)) + int(stats.get("rows_doubtful", 0)),
        stats.get("outcomes", {}),
        stats.get("unknown_columns", []),
        stats.get("would_replace", {}),
        bool(stats.get("unchanged", False)),
        stats.get("needs_consent", ""),
        stats.get("kg_of_file") if "kg_after" in stats else None,
        stats.get("kg_before"),
        stats.get("kg_after"),
        findings,
        stats.get("proposed_mapping", {}),
        stats.get("proposed_sheet", ""),
        int(stats.get("rows_counted_twice", 0)),
        stats.get("left_open", []),
    )
