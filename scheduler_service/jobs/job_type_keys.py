"""What the payload of each job type takes, and which stats its jobs end with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType


class Kind(Enum):
    """What the value of a key of a payload is."""

    TEXT = auto()
    # Text without control or invisible characters: two names must never look alike.
    NAME = auto()
    # The reference of a file in the blob store.
    BLOB = auto()
    # The number of an upload.
    UPLOAD = auto()
    # A list of texts, none of them blank.
    TEXTS = auto()
    # How a file with other names of columns is read, an object: see MAPPING_PARTS.
    MAPPING = auto()


@dataclass(frozen=True, slots=True)
class PayloadKey:
    """A key of a payload.

    `values` are the only ones that it may have; none means any. `default` is what it means if it is
    left out. With one of the other modes than `modes`, or another kind of reference data than
    `reference_kinds`, it must be left out; none means all of them.
    It must be left out, too, if the key `unless` is given.
    `characters_max` holds for a text and for each text of a list, which has at most `items_max`.
    """

    name: str
    meaning: str
    required: bool = False
    values: tuple[str, ...] = ()
    kind: Kind = Kind.TEXT
    default: str = ""
    modes: tuple[str, ...] = ()
    reference_kinds: tuple[str, ...] = ()
    unless: str = ""
    characters_max: int = 255
    items_max: int = 1_000


MODE = "mode"
ADD, REPLACE, REMOVE_STALE, REMOVE = "add", "replace", "remove_stale", "remove"
_WITH_A_FILE = (ADD, REPLACE)
_BLOB = PayloadKey(
    "blob", "the reference of the file, which UploadBlob returns", required=True, kind=Kind.BLOB
)
_FILE_NAME = PayloadKey("file_name", "the name of the file that people see")
_SHEET = PayloadKey("sheet", "the sheet of a workbook; if left out, the one that has the columns")
_IS_SEED_RUN = PayloadKey(
    "is_seed_run", "the file is one of a folder that is seeded", values=("yes",)
)
_SOURCE = PayloadKey(
    "source",
    "who reports the file; default if left out",
    kind=Kind.NAME,
    default="default",
    characters_max=64,
)
_PROVIDER = PayloadKey(
    "provider",
    "the service that brings the rows, such as travel-api; the workers know where it is",
    required=True,
    kind=Kind.NAME,
    characters_max=64,
)
_MAPPING = PayloadKey(
    "mapping",
    "how a file of another program is read, an object with columns, constants, values, decimal,"
    " dates and name; it stands with what is loaded",
    kind=Kind.MAPPING,
    items_max=1_000,
)
_MAPPING_OF_A_LOAD = replace(_MAPPING, modes=_WITH_A_FILE)
_TAKE_AWAY = PayloadKey(
    "take_away", "remove even what entries use, and most of the kilograms", values=("yes",)
)
_FILE_OF_ENTRIES = (
    _BLOB,
    _FILE_NAME,
    _SHEET,
    _IS_SEED_RUN,
    _SOURCE,
    _TAKE_AWAY,
)

# What a job's data is to say of who brought it; callers cannot give it themselves, and children
# have it from their parent.
SIGNED_BY = "submitted_by"
SIGNED = frozenset({"csv_ingest", "api_ingest", "routed_ingest"})

_TRANSPORT_MODE = PayloadKey(
    "transport_mode",
    "the mode of the places, such as plane; left out for other kinds of reference data",
    required=True,
    reference_kinds=("locations",),
)
_MODE_OF_A_FILE = PayloadKey(
    MODE, "what would happen to what the file lacks", values=_WITH_A_FILE, default=ADD
)
_ARE_ALL = PayloadKey(
    "are_all",
    "the file has all units: the others are flagged as stale",
    values=("yes",),
    unless="provider",
)

# For tests and benchmarks: it does nothing with what it is given.
ANY_PAYLOAD = frozenset({"noop"})
# The types that are not here take nothing, except for those of ANY_PAYLOAD.
_OWN_KEYS: Mapping[str, tuple[PayloadKey, ...]] = MappingProxyType(
    {
        "csv_ingest": (*_FILE_OF_ENTRIES, _MAPPING),
        "csv_check": (_BLOB, _FILE_NAME, _SHEET, _MAPPING, _SOURCE),
        "factor_check": (_BLOB, _FILE_NAME, _SHEET, _MAPPING, _MODE_OF_A_FILE),
        "reference_check": (
            _BLOB,
            _FILE_NAME,
            _SHEET,
            _MAPPING,
            _TRANSPORT_MODE,
            _MODE_OF_A_FILE,
        ),
        "unit_check": (_BLOB, _FILE_NAME, _SHEET, _MAPPING, replace(_ARE_ALL, unless="")),
        "routed_ingest": _FILE_OF_ENTRIES,
        "routed_check": (_BLOB, _FILE_NAME, _SHEET, _SOURCE),
        "routed_factor_ingest": (
            _BLOB,
            _FILE_NAME,
            _SHEET,
            _IS_SEED_RUN,
            _MODE_OF_A_FILE,
            _TAKE_AWAY,
        ),
        "api_ingest": (_PROVIDER, _TAKE_AWAY),
        "upload_withdrawal": (
            PayloadKey(
                "upload_id",
                "the number of the upload; ListUploads lists them",
                required=True,
                kind=Kind.UPLOAD,
            ),
        ),
        "factor_ingest": (
            replace(
                _BLOB,
                meaning=f"the reference of the file; left out with {REMOVE_STALE}",
                modes=_WITH_A_FILE,
            ),
            _FILE_NAME,
            _SHEET,
            _MAPPING_OF_A_LOAD,
            _IS_SEED_RUN,
            PayloadKey(
                MODE,
                "what happens to factors that the file lacks",
                values=(ADD, REPLACE, REMOVE_STALE),
                default=ADD,
            ),
            _TAKE_AWAY,
        ),
        "reference_ingest": (
            replace(
                _BLOB,
                meaning="the reference of the file; left out with a mode that reads none",
                modes=_WITH_A_FILE,
            ),
            _FILE_NAME,
            _SHEET,
            _MAPPING_OF_A_LOAD,
            _IS_SEED_RUN,
            _TRANSPORT_MODE,
            PayloadKey(
                MODE,
                "what happens to places or rows that the file lacks, or which are removed",
                values=(ADD, REPLACE, REMOVE_STALE, REMOVE),
                default=ADD,
            ),
            _TAKE_AWAY,
            PayloadKey(
                "codes",
                f"with {REMOVE}, the codes of the places or the keys of the rows, a list of texts",
                required=True,
                kind=Kind.TEXTS,
                modes=(REMOVE,),
                characters_max=128,
            ),
        ),
        "unit_sync": (
            replace(
                _BLOB,
                meaning="the reference of the file; left out with a provider",
                unless="provider",
            ),
            _FILE_NAME,
            replace(_SHEET, unless="provider"),
            replace(_MAPPING, unless="provider"),
            _IS_SEED_RUN,
            replace(_PROVIDER, required=False),
            _ARE_ALL,
        ),
        "unit_removal": (
            PayloadKey(
                "units",
                "the units to remove, a list of texts",
                required=True,
                kind=Kind.TEXTS,
                characters_max=128,
            ),
        ),
    }
)

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
    "rejected_blob": "the CSV of all rejected rows with their reasons",
    "rejected_rows": "the first of them",
    **_WARNED,
    "encoding": "how the file's characters are encoded",
    "unknown_columns": "the columns that were not read",
}

_PROPOSED = {"proposed_mapping": "a mapping with which the file might be read; it was not"}
_OF_ENTRIES = {
    **_OF_FILE,
    **_PROPOSED,
    "defaults_used": "the value that each row has in place of a column that was not read",
    "upload_id": "the upload that counts now",
    "unchanged": "true if the same rows counted already",
    "replaced": "the upload that no longer counts",
    "same_rows_in_uploads": "uploads of other sources with the same rows",
    "shared_rows": "uploads that share some rows, with the first pair",
    "people_in_other_uploads": "how many rows name a person of their unit whom another upload has",
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
    "uncomputed_blob": "the CSV of these rows, with outcome and reason",
    "uncomputed_rows": "the first of them",
    "rows_doubtful": "how many accepted rows have a value that their computation makes doubtful",
    "doubtful_blob": "the CSV of these rows",
    "doubtful_rows": "the first of them",
    "kg_of_file": "what the file comes to in kilograms",
    "kg_before": "what all uploads of the type and year come to now",
    "kg_after": "what they would come to with the file",
    "unchanged": "true if the same rows count already",
    "would_replace": "the upload that would no longer count",
    "needs_consent": "the cause with which the file would be refused without consent",
    "same_rows_in_uploads": "uploads of other sources with the same rows",
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
        "rejected_blob": "the CSV of all rejected rows with their reasons",
        "rejected_rows": "the first of them",
        "encoding": "how the file's characters are encoded",
        "types": f"how many rows each type has; a {child} of each follows",
    }


# Name and meaning. A stat that would be empty may be left out.
_OWN_STATS: Mapping[str, Mapping[str, str]] = MappingProxyType(
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
        "aggregation": {
            "rows": "how many entries were summed",
            "entries": "the same",
            "units": "how many units have a total",
            "total_kg": "the sum in kilograms, as text with all digits",
        },
        "noop": {},
    }
)

# With those that `declare_job_types` adds.
_KEYS, _STATS = dict(_OWN_KEYS), dict(_OWN_STATS)
PAYLOAD_KEYS: Mapping[str, tuple[PayloadKey, ...]] = MappingProxyType(_KEYS)
STATS: Mapping[str, Mapping[str, str]] = MappingProxyType(_STATS)


def add_keys(job_type: str, keys: Sequence[PayloadKey], stats: Mapping[str, str]) -> None:
    """Adds what a type of a deployment takes and ends with; see `declare_job_types`."""
    _KEYS[job_type] = tuple(keys)
    _STATS[job_type] = dict(stats)
