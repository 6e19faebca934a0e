"""What is missing from the sums of a report, in sentences.

They quote ids and reasons as they are: who prints them makes them safe for a terminal.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from carbonline.client.check_report import BOOKED
from carbonline.client.totals_frame import module_word
from carbonline.pluralize import pluralize
from carbonline.v1 import ledger_pb2

# Of a longer list, so many are named.
NAMED_MAX = 10


def gaps(report: ledger_pb2.GetReportResponse, year: int) -> list[str]:
    """A sentence for each thing that is missing from the sums; none if nothing is."""
    return [
        *_none(report, year),
        *stale_sentences(report.freshness),
        *_without_kilograms(report.whole),
        *_modules_without_data(report, year),
        *_units_without_data(report, year),
        *_no_people(report),
    ]


def gaps_of_years(reports: Mapping[int, ledger_pb2.GetReportResponse]) -> list[str]:
    """A sentence for each thing that is missing from the sums of several years."""
    return [
        f"{year}: {sentence}"
        for year, report in reports.items()
        for sentence in chain(stale_sentences(report.freshness), _without_kilograms(report.whole))
    ]


def has_gaps(report: ledger_pb2.GetReportResponse) -> bool:
    """Whether there are no totals, some are stale, or entries have no kilograms."""
    return (
        not report.HasField("whole")
        or not all(one.fresh for one in report.freshness)
        or bool(report.whole.entries_without_kg)
    )


def stale_sentences(freshness: Sequence[ledger_pb2.TotalsFreshness]) -> Iterator[str]:
    """A sentence for each module whose totals are stale."""
    for one in freshness:
        if not one.fresh:
            since = ""
            if one.HasField("since"):
                since = f" (since {one.since.ToDatetime():%Y-%m-%d %H:%M:%S} UTC)"
            yield f"STALE: {module_word(one.module)}: {one.reason}{since}."


def no_totals_sentence(report: ledger_pb2.GetReportResponse, year: int) -> str:
    """What to say where a year has no totals."""
    others = [str(one.year) for one in report.years]
    if others:
        return f"There are no totals for {year}; there are totals for {', '.join(others)}."
    return f"There are no totals for {year}, nor for any other year."


def _none(report: ledger_pb2.GetReportResponse, year: int) -> Iterator[str]:
    if not report.HasField("whole"):
        yield no_totals_sentence(report, year)


def _without_kilograms(sums: ledger_pb2.ReportSums) -> Iterator[str]:
    missing = sums.entries_without_kg
    if missing:
        have, are = ("has", "is") if missing == 1 else ("have", "are")
        outcomes = sorted(sums.outcome_counts.items())
        why = ", ".join(f"{count:,} {name}" for name, count in outcomes if name not in BOOKED)
        of_all = f"{missing:,} of {pluralize(sums.entry_count, 'entry', 'entries')}"
        yield f"{of_all} {have} no kilograms and {are} missing from these totals: {why}."


def _modules_without_data(report: ledger_pb2.GetReportResponse, year: int) -> Iterator[str]:
    names = [module_word(number) for number in report.modules_without_data]
    if names:
        yield f"No data for {year}: {', '.join(names)}."


def _units_without_data(report: ledger_pb2.GetReportResponse, year: int) -> Iterator[str]:
    count = report.units_without_data_count
    if count and report.HasField("whole"):
        named = list(report.units_without_data[:NAMED_MAX])
        more = f" and {count - len(named):,} more" if count > len(named) else ""
        have = "has" if count == 1 else "have"
        yield (f"{pluralize(count, 'unit')} {have} no totals for {year}: {', '.join(named)}{more}.")


def _no_people(report: ledger_pb2.GetReportResponse) -> Iterator[str]:
    if report.HasField("whole") and not report.whole.HasField("fte"):
        yield "Kilograms per FTE are unknown: there are no members of staff."
