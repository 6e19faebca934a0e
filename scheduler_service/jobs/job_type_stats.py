"""Which stats the jobs of each type end with."""

from collections.abc import Mapping
from types import MappingProxyType

_WARNED = {
    "rows_warned": "how many accepted rows have a warning",
    "rows_warned_listed": "how many of them the CSV has, if not all",
    "warned_blob": "the CSV of the warnings",
    "warned_rows": "the first of them",
}
_OF_FILE = {
    "rows": "how many rows the file has",
    "rows_accepted": "how many of them count",
    "rows_rejected": "how many cannot be used",
    "rows_rejected_listed": "how many of them the CSV has, if not all",
    "rejected_blob": "the CSV of rejected rows with their reasons",
    "rejected_rows": "the first of them",
    **_WARNED,
    "encoding": "how the file's characters are encoded",
    "unknown_columns": "the columns that were not read",
}

_PROPOSED = {
    "proposed_mapping": "a mapping with which the file might be read; it was not",
    "proposed_sheet": "the sheet of a workbook that might be meant; it was not read",
    "left_open": "what is not proposed, since the names and values of the file are not sure",
}
_PEOPLE = {
    "people_in_other_uploads": "how many rows name a person of their unit whom another upload has",
}
_OF_ENTRIES = {
    **_OF_FILE,
    **_PROPOSED,
    "defaults_used": "the value that each row has in place of a column that was not read",
    "upload_id": "the upload that counts now",
    "unchanged": "true if the same rows counted already",
    "replaced": "the upload that no longer counts",
    "same_rows_in_uploads": "uploads of other sources with the same rows",
    "shared_rows": "uploads that share some rows, with the first pair",
    **_PEOPLE,
    "rows_counted_twice": "how many rows, or people, other uploads have, too",
    "rows_counted_twice_listed": "how many of these rows the CSV has, if not all",
    "counted_twice_blob": "the CSV of these rows",
    "counted_twice_rows": "the first of them",
    "would_count": "with most_would_go, the rows and kilograms of the file",
    "would_replace": "with most_would_go, the upload that it would have replaced",
}

_OF_CHECK = {
    **_OF_FILE,
    **_PROPOSED,
    "rows_accepted": "how many of them would count",
    "defaults_used": "the value that each row has in place of a column that was not read",
    "outcomes": "how many accepted rows would have each outcome",
    "rows_uncomputed": "how many accepted rows would have no kilograms",
    "rows_uncomputed_listed": "how many of them the CSV has, if not all",
    "uncomputed_blob": "the CSV of these rows, with outcome and reason",
    "uncomputed_rows": "the first of them",
    "rows_doubtful": "how many accepted rows have a value that their computation makes doubtful",
    "rows_doubtful_listed": "how many of them the CSV has, if not all",
    "doubtful_blob": "the CSV of these rows",
    "doubtful_rows": "the first of them",
    "kg_of_file": "what the file comes to in kilograms",
    "kg_before": "what all uploads of the type and year come to now",
    "kg_after": "what they would come to with the file",
    "unchanged": "true if the same rows count already",
    "would_replace": "the upload that would no longer count",
    "needs_consent": "the cause with which the file would be refused without consent",
    "same_rows_in_uploads": "uploads of other sources with the same rows",
    "shared_rows": "uploads that share some rows, with the first pair",
    **_PEOPLE,
    "rows_counted_twice": "how many rows, or people, other uploads have, too",
    "rows_counted_twice_listed": "how many of these rows the CSV has, if not all",
    "counted_twice_blob": "the CSV of these rows",
    "counted_twice_rows": "the first of them",
}

_OF_FACTORS = {
    "factors_new": "how many factors are new",
    "factors_changed": "how many are new or changed",
    "factors_stale": "how many are in force and not in the file",
    "factors_removed": "how many are no longer in force",
}
_OF_REFERENCES = {
    "places_new": "how many places are new",
    "places_changed": "how many are changed",
    "places_same": "how many are as before",
    "places_gone": "how many a replacing file removes",
    "places_stale": "how many become stale, since the file lacks them",
    "places_doubtful": "how many are probably not where the file has them",
    "rows_new": "of other kinds of reference data, how many rows are new",
    "rows_changed": "how many of them are changed",
    "rows_same": "how many are as before",
    "rows_gone": "how many a replacing file removes",
    "rows_stale": "how many become stale, since the file lacks them",
}
_OF_UNITS = {
    "units_new": "how many units are new",
    "units_renamed": "how many have another name",
    "units_same": "how many are as before",
    "units_moved": "how many stand below another unit than before, or at the top",
    "units_changed": "how many are new or renamed",
    "units_stale": "how many a list of all units lacks, and are flagged now",
}
_OF_LOAD_CHECK = {
    **_PROPOSED,
    "kilograms": "of each type and year that would be computed again: kg_before, kg_after and"
    " entries_without_kg",
    "needs_consent": "the cause with which the file would be refused without consent",
}

_OF_PROVIDER = {
    "rows_dropped": "how many records of the service were left out",
    "dropped": "how many of them for each reason",
    "assumed": "how many values were taken for something else, in words",
}


def _of_routed(child: str) -> Mapping[str, str]:
    return {
        "rows": "how many rows the file has",
        "rows_routed": "how many of them have a type",
        "rows_rejected": "how many have none",
        "rows_rejected_listed": "how many of them the CSV has, if not all",
        "rejected_blob": "the CSV of rejected rows with their reasons",
        "rejected_rows": "the first of them",
        "encoding": "how the file's characters are encoded",
        "types": f"how many rows each type has; a {child} of each follows",
    }


# Name and meaning. A stat that would be empty may be left out.
OWN_STATS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "csv_ingest": _OF_ENTRIES,
        "csv_check": _OF_CHECK,
        "api_ingest": {
            **_OF_ENTRIES,
            **_OF_PROVIDER,
        },
        "routed_ingest": _of_routed("csv_ingest"),
        "routed_check": _of_routed("csv_check"),
        "routed_factor_ingest": _of_routed("factor_ingest"),
        "routed_factor_check": _of_routed("factor_check"),
        "upload_withdrawal": {
            "upload_id": "the upload that no longer counts",
            "rows_withdrawn": "how many rows it had",
        },
        "factor_ingest": {
            **_OF_FILE,
            **_PROPOSED,
            **_OF_FACTORS,
        },
        "factor_check": {**_OF_FILE, **_OF_FACTORS, **_OF_LOAD_CHECK},
        "reference_ingest": {
            **_OF_FILE,
            **_PROPOSED,
            **_OF_REFERENCES,
            "places_removed": "how many were removed without a file",
            "rows_removed": "how many were removed without a file",
        },
        "reference_check": {**_OF_FILE, **_OF_REFERENCES, **_OF_LOAD_CHECK},
        "unit_sync": {
            **_OF_FILE,
            **_PROPOSED,
            **_OF_UNITS,
            **_OF_PROVIDER,
        },
        "unit_check": {**_OF_FILE, **_OF_UNITS, "kilograms": "none: units have no kilograms"},
        "unit_removal": {"units_removed": "how many units were removed"},
        "emission_recalc": {
            "rows": "how many entries were read",
            "entries": "how many entries have an outcome",
            "outcomes": "how many entries have each outcome",
            "sets_computed": "how many uploads were computed",
            "sets_kept": "how many had nothing to compute",
            "uncomputed": "outcomes without kilograms, each with an example",
            "stale_factors_used": "how many stale factors are used",
            "entries_of_stale_factors": "how many entries use them",
            "stale_factors": "the most used of them",
            **_WARNED,
        },
        "module_emission_recalc": {
            "types_to_compute": "the types that are computed; an emission_recalc of each follows,"
            " and ends with the results of the type",
            "types_up_to_date": "with only_stale, the types whose emissions need no computation",
            "types_waiting": "with only_stale, those that stale totals of other modules may change",
            "types_without_data": "the types of the module that have no data in the year",
        },
        "aggregation": {
            "rows": "how many entries were summed",
            "entries": "the same",
            "units": "how many units have a total",
            "total_kg": "the sum in kilograms, as text with all digits",
        },
        "noop": {},
    }
)
