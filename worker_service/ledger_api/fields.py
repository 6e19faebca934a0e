"""The fields that only the ledger process knows: scopes of files, and pages of its lists."""

from carbonline.serving.field_checker import FieldChecker
from carbonline.v1 import ledger_pb2, types_pb2
from worker_service.carbon.emission_tree import EMISSION_TYPES, with_descendants

UNIT_CHARACTERS_MAX = 128
KIND_CHARACTERS_MAX = 64
PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 100, 1_000


class Fields(FieldChecker):
    """The checker of the ledger's requests."""

    def rows_of_page(self, asked: int) -> int:
        """The field `page_size`; PAGE_SIZE_DEFAULT where none was asked for."""
        return self.page_size("page_size", asked, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)

    def nodes(self, field: str, path: str) -> tuple[str, ...] | None:
        """The paths of a node of the emission tree and of all below it; None if none is asked."""
        if not path:
            return None
        if path not in EMISSION_TYPES:
            self.fail(
                field,
                "must be the path of a node of the emission tree, such as"
                " professional_travel.plane: the keys of by_emission_type in GetTotals are some",
            )
            return None
        return with_descendants(path)

    def totals(self, asked: ledger_pb2.GetTotalsRequest | ledger_pb2.GetReportRequest) -> None:
        """What chooses totals. Its tenant, and whether the unit is known, are checked elsewhere."""
        self.year("year", asked.year)
        self.known("module", asked.module, types_pb2.Module)
        self.text("unit", asked.unit, UNIT_CHARACTERS_MAX)
        if asked.with_units_below and not asked.unit:
            self.fail("with_units_below", "needs a unit")

    def scope(self, field: str, value: types_pb2.Scope) -> None:
        """What a file is for. Its tenant is checked with the caller."""
        self.known(f"{field}.module", value.module, types_pb2.Module)
        self.known(f"{field}.data_entry_type", value.data_entry_type, types_pb2.DataEntryType)
        self.optional_year(f"{field}.year", value.year)
        self.text(f"{field}.unit", value.unit, UNIT_CHARACTERS_MAX)
        self.text(f"{field}.reference_kind", value.reference_kind, KIND_CHARACTERS_MAX)
