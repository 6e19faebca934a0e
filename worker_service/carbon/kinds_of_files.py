"""Says what kind of file a header belongs to, if it is another one than was expected."""

from collections.abc import Collection, Iterator

from worker_service.carbon.catalogue import MODULES
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.parse.entries import entry_columns
from worker_service.carbon.parse.factors import factor_columns
from worker_service.carbon.parse.references import LOCATION_COLUMNS, UNIT_COLUMNS

# Of more kinds with the same columns, none is probably meant.
_NAMED_MAX = 3


def kind_of_file(names: Collection[str]) -> str:
    """The sentence that names the kind of file which most of these columns belong to.

    "" if no kind has all of its required columns among them, or several kinds have the same.
    """
    fitting = [(needed, words) for needed, words in _kinds() if needed <= {*names}]
    most = max((len(needed) for needed, _ in fitting), default=0)
    meant = sorted({words for needed, words in fitting if len(needed) == most})
    if not 0 < len(meant) <= _NAMED_MAX:
        return ""
    return f"These are the columns of {', or of '.join(meant)}."


def _kinds() -> Iterator[tuple[set[str], str]]:
    """The required columns of each kind of file, and what it is called with its command."""
    yield {one.name for one in UNIT_COLUMNS if one.required}, "units: carbonline load units"
    for columns in LOCATION_COLUMNS.values():
        yield {one.name for one in columns if one.required}, "places: carbonline load locations"
    for declared in (one for module in MODULES for one in module.types):
        if not isinstance(declared, DataEntryType):
            continue
        entries = entry_columns(declared, per_year=True)
        yield (
            {column.name for column in entries if column.required},
            f"{declared.name} entries: carbonline submit --type {declared.name}",
        )
        yield (
            {column.name for column in factor_columns(declared) if column.required},
            f"{declared.name} factors: carbonline load factors --type {declared.name}",
        )
