"""What a check of a file of factors, places, rows or units found, as plain values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2

_OF = ("factors", "places", "rows", "units")
_CHANGES = ("new", "changed", "renamed", "moved", "same", "stale", "gone", "removed", "doubtful")


@dataclass(frozen=True, slots=True)
class LoadCheckReport:
    """What the load of a file would do at the moment of the check. Nothing was written.

    `error_cause` says why nothing at all would be stored, "" if something would; `needs_consent`
    that the load would be refused without `take_away`, and why. `changes` counts what would be new,
    changed (of factors, the new ones among them), renamed, same, stale, gone or removed.
    `kilograms` has of each type and year that would be computed again type, year, kg_before,
    kg_after (of CO2 equivalents) and entries_without_kg; none if all stays as it is.
    `proposed_mapping` and `proposed_sheet`: how the file might be read; {} and "" for nothing.
    `left_open` has a sentence for each column that may be meant and is not proposed.
    `findings`: finding ("rejected" or "doubtful"), row, column, value, reason.
    `types` has the report of each type by its name, if there are several; then each finding has the
    `type` of its row, too, "" for none, and all numbers are those of the types together.
    """

    pipeline_id: int
    message: str
    error_cause: str
    rows: int
    rows_accepted: int
    rows_rejected: int
    rows_warned: int
    unread_columns: Sequence[str]
    changes: Mapping[str, int]
    kilograms: Sequence[Mapping[str, Any]]
    needs_consent: str
    findings: Sequence[Mapping[str, Any]] = ()
    proposed_mapping: Mapping[str, Any] = field(default_factory=dict)
    proposed_sheet: str = ""
    left_open: Sequence[str] = ()
    types: Mapping[str, "LoadCheckReport"] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether every row would count, without anybody's consent."""
        wrong = self.error_cause or self.rows_rejected or self.needs_consent
        return not wrong and all(one.is_good for one in self.types.values())


def load_check_report(
    job: types_pb2.Job, findings: Sequence[Mapping[str, Any]] = ()
) -> LoadCheckReport:
    """The report of a factor_check, reference_check or unit_check that has ended.

    Of a routed_factor_check it says what became of the file before it was divided.
    """
    stats = values_of(job.stats)
    changes = {
        change: int(stats[f"{of}_{change}"])
        for of in _OF
        for change in _CHANGES
        if f"{of}_{change}" in stats
    }
    return LoadCheckReport(
        job.pipeline_id,
        job.message,
        job.error_cause,
        int(stats.get("rows", 0)),
        int(stats.get("rows_accepted", 0)),
        int(stats.get("rows_rejected", 0)),
        int(stats.get("rows_warned", 0)),
        stats.get("unknown_columns", []),
        changes,
        stats.get("kilograms", []),
        stats.get("needs_consent", ""),
        findings,
        stats.get("proposed_mapping", {}),
        stats.get("proposed_sheet", ""),
        stats.get("left_open", []),
    )


def of_several_types(
    whole: LoadCheckReport, types: Mapping[str, LoadCheckReport]
) -> LoadCheckReport:
    """The report of all types together, at least one; `whole` is that of what has no type.

    A column is not read if no type reads it. Something would be stored unless every type is
    refused.
    """
    each = list(types.values())
    unread = [one.unread_columns for one in each if one.rows]
    changes: Counter[str] = Counter()
    for one in each:
        changes.update(one.changes)
    of_types = [{**found, "type": name} for name, one in types.items() for found in one.findings]
    return replace(
        whole,
        error_cause=each[0].error_cause if all(one.error_cause for one in each) else "",
        rows_accepted=sum(one.rows_accepted for one in each),
        rows_rejected=whole.rows_rejected + sum(one.rows_rejected for one in each),
        rows_warned=sum(one.rows_warned for one in each),
        unread_columns=[
            name for name in (unread or [[]])[0] if all(name in columns for columns in unread)
        ],
        changes=dict(changes),
        kilograms=[of for one in each for of in one.kilograms],
        needs_consent=next((one.needs_consent for one in each if one.needs_consent), ""),
        findings=[*({**found, "type": ""} for found in whole.findings), *of_types],
        types=types,
    )


def nothing_found(rows: int = 0) -> LoadCheckReport:
    """The report of a load of files of several types that nobody has divided."""
    return LoadCheckReport(0, "", "", rows, 0, 0, 0, [], {}, [], "")
