"""The page of a year's report, as values that both the terminal and HTML show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from carbonline.client.report_gaps import gaps
from carbonline.command.names import module_name
from carbonline.command.safe_text import one_line
from carbonline.v1 import ledger_pb2

# Names of nodes and modules that are no plain words.
_WORDS = {
    "ai": "AI",
    "calcul": "compute",
    "ch4": "CH4",
    "co2": "CO2",
    "eco": "economy",
    "elec": "electricity",
    "it": "IT",
    "ln2": "LN2",
    "n2o": "N2O",
    "openai": "OpenAI",
    "pet": "PET",
    "rcp": "RCP",
    "scitas": "SCITAS",
    "stockage": "storage",
}
# A deeper node stands in the table of the whole tree only.
CATEGORY_DEPTH_MAX = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the figures at the top."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table, and a bar of its chart.

    `depth` is how far it is set in. `last_year_kg` is None if there is nothing to compare with.
    `cells` stand below the further columns of the section.
    """

    label: str
    kg: float
    last_year_kg: float | None = None
    depth: int = 0
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a chart of the same figures.

    `heading` is that of the first column. Shares are of `whole_kg`; without it there are none.
    Only lines of depth 0 have bars, and none has with `has_chart=False`.
    """

    title: str
    heading: str
    lines: Sequence[Line]
    whole_kg: float | None = None
    columns: tuple[str, ...] = ()
    has_chart: bool = True
    compares: bool = True

    @property
    def has_last_year(self) -> bool:
        """Whether there is anything to compare with."""
        return self.compares and any(line.last_year_kg is not None for line in self.lines)


@dataclass(frozen=True, slots=True)
class Page:
    """A page: what it is about, its figures, what is missing from them, and the tables.

    `digits` are those of tonnes after the point.
    """

    title: str
    about: str
    year: int
    digits: int
    figures: Sequence[Figure]
    missing: Sequence[str]
    sections: Sequence[Section]

    def tonnes(self, kg: float | None) -> str:
        """Kilograms as tonnes; "" for None."""
        return tonnes(kg, self.digits)


def page_of(
    report: ledger_pb2.GetReportResponse,
    year: int,
    now: datetime,
    unknown: Sequence[str] = (),
    unit: str = "",
) -> Page:
    """The page of a report that has a whole.

    `now`, in UTC, is when it was read; `unknown` are sentences on what is not known. `unit` is the
    id and name of the unit that it is about, "" for the institution.
    """
    kg = report.whole.total_kg
    digits = 3 if kg < 10_000 else 1 if kg < 10_000_000 else 0
    return Page(
        title=f"Greenhouse gas emissions {year}" + (f": {unit}" if unit else ""),
        about=f"As of {now:%Y-%m-%d %H:%M} UTC. Tonnes (t) are tonnes of CO2-equivalent.",
        year=year,
        digits=digits,
        figures=tuple(_figures(report, year, digits)),
        missing=tuple(map(one_line, (*gaps(report, year), *unknown))),
        sections=tuple(section for section in _sections(report) if section.lines),
    )


def tonnes(kg: float | None, digits: int) -> str:
    """Kilograms as tonnes; "" for None."""
    return "" if kg is None else f"{kg / 1_000:,.{digits}f}"


def words(name: str) -> str:
    """A name of the contract as words: "professional_travel" is "Professional travel"."""
    text = " ".join(_WORDS.get(word, word) for word in name.split("_"))
    return text[:1].upper() + text[1:]


def change(now: float, before: float | None) -> str:
    """How much more or less than before, in percent. "" if there is nothing to compare with."""
    if before is None or before <= 0:
        return ""
    percent = 100 * (now - before) / before
    return f"{percent:+,.1f} %"


def share(kg: float, whole: float | None) -> str:
    """The share of a whole, in percent."""
    return f"{100 * kg / whole:.1f} %" if whole else ""


def _figures(report: ledger_pb2.GetReportResponse, year: int, digits: int) -> Iterator[Figure]:
    whole = report.whole
    last = whole.last_year_kg if whole.HasField("last_year_kg") else None
    yield Figure(
        "Total",
        f"{tonnes(whole.total_kg, digits)} t",
        f"{change(whole.total_kg, last)} against {tonnes(last, digits)} t in {year - 1}"
        if last
        else f"no totals for {year - 1}",
    )
    if whole.HasField("kg_per_fte"):
        yield Figure(
            "Per full-time equivalent",
            f"{whole.kg_per_fte / 1_000:,.2f} t",
            f"{whole.fte:,.1f} FTE",
        )
    if whole.largest_category:
        yield Figure(
            "Largest category",
            words(whole.largest_category),
            f"{tonnes(whole.largest_category_kg, digits)} t,"
            f" {share(whole.largest_category_kg, whole.total_kg)}",
        )
    yield Figure(
        "Information technology",
        f"{tonnes(whole.it_total_kg, digits)} t",
        f"{share(whole.it_total_kg, whole.total_kg)} of the total".lstrip(),
    )
    yield Figure(
        "Entries",
        f"{whole.entry_count:,}",
        f"{whole.entries_without_kg:,} without kilograms"
        if whole.entries_without_kg
        else "all have kilograms",
    )


def _sections(report: ledger_pb2.GetReportResponse) -> Iterator[Section]:
    whole = report.whole.total_kg
    yield Section("By GHG scope", "GHG scope", _scopes(report), whole, compares=False)
    yield Section("By category", "Category", _categories(report), whole)
    yield Section(
        "By module",
        "Module",
        [
            Line(
                words(module_name(one.module)),
                one.sums.total_kg,
                _last(one.sums),
                cells=(f"{one.sums.entry_count:,}",),
            )
            for one in report.modules
        ],
        whole,
        ("Entries",),
    )
    yield Section("By unit", "Unit", _units(report), whole, ("t per FTE",))
    yield Section("The tree of units, each with all units below it", "Unit", _tree(report), whole)
    yield Section("By year", "Year", _years(report), None, ("t per FTE",), compares=False)
    yield Section(
        "The whole tree of emission types",
        "Emission type",
        [
            Line(words(one.path.rpartition(".")[2]), one.kg, _last(one), one.path.count("."))
            for one in report.nodes
        ],
        whole,
        has_chart=False,
    )


def _scopes(report: ledger_pb2.GetReportResponse) -> list[Line]:
    whole = report.whole
    kg = (whole.ghg_scope_1_kg, whole.ghg_scope_2_kg, whole.ghg_scope_3_kg)
    of = ("direct", "energy bought", "all other")
    return [
        Line(f"GHG scope {n}: {what}", one) for n, what, one in zip((1, 2, 3), of, kg, strict=True)
    ]


def _categories(report: ledger_pb2.GetReportResponse) -> list[Line]:
    """Roots, the largest first, each with its children, likewise."""
    kg = {one.path: one.kg for one in report.nodes}

    def order(node: ledger_pb2.NodeReport) -> tuple[object, ...]:
        root = node.path.partition(".")[0]
        return (-kg.get(root, 0.0), root, node.path.count("."), -node.kg, node.path)

    return [
        Line(words(one.path.rpartition(".")[2]), one.kg, _last(one), one.path.count("."))
        for one in sorted(report.nodes, key=order)
        if one.path.count(".") <= CATEGORY_DEPTH_MAX
    ]


def _units(report: ledger_pb2.GetReportResponse) -> list[Line]:
    """The largest first."""
    return [
        Line(
            one_line(f"{one.unit} {one.unit_name}".strip()),
            one.sums.total_kg,
            _last(one.sums),
            cells=(_per_fte(one.sums),),
        )
        for one in sorted(report.units, key=lambda one: (-one.sums.total_kg, one.unit))
    ]


def _tree(report: ledger_pb2.GetReportResponse) -> list[Line]:
    """In the order of the tree. None if it is but one unit."""
    if len(report.unit_tree) < 2:
        return []
    return [
        Line(
            one_line(f"{one.unit} {one.unit_name}".strip()),
            one.with_units_below.total_kg,
            _last(one.with_units_below),
            one.level,
        )
        for one in report.unit_tree
    ]


def _years(report: ledger_pb2.GetReportResponse) -> list[Line]:
    return [
        Line(
            f"{one.year}",
            one.total_kg,
            cells=(_per_fte(one),),
        )
        for one in report.years
    ]


def _per_fte(sums: ledger_pb2.ReportSums | ledger_pb2.YearReport) -> str:
    return f"{sums.kg_per_fte / 1_000:,.2f}" if sums.HasField("kg_per_fte") else ""


def _last(one: ledger_pb2.ReportSums | ledger_pb2.NodeReport) -> float | None:
    return one.last_year_kg if one.HasField("last_year_kg") else None
