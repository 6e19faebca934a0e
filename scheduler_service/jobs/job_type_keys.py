"""What the payload of each job type takes, and which stats its jobs end with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import MappingProxyType

from scheduler_service.jobs.job_type_stats import OWN_STATS


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
    " dates, header_line and name; it stands with what is loaded",
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

# What people may want of a job type that does not take it, and what to do instead.
INSTEAD_OF: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (job_type, "mapping"): "is for files of one type: rename the columns of this file, or"
        " divide it by type and submit each part with a mapping"
        for job_type in (
            "routed_ingest",
            "routed_check",
            "routed_factor_ingest",
            "routed_factor_check",
        )
    }
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
        "routed_factor_check": (_BLOB, _FILE_NAME, _SHEET, _MODE_OF_A_FILE),
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
        "module_emission_recalc": (
            PayloadKey(
                "only_stale",
                "only the types whose emissions are not up to date",
                values=("yes",),
            ),
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

# With those that `declare_job_types` adds.
_KEYS, _STATS = dict(_OWN_KEYS), dict(OWN_STATS)
PAYLOAD_KEYS: Mapping[str, tuple[PayloadKey, ...]] = MappingProxyType(_KEYS)
STATS: Mapping[str, Mapping[str, str]] = MappingProxyType(_STATS)


def add_keys(job_type: str, keys: Sequence[PayloadKey], stats: Mapping[str, str]) -> None:
    """Adds what a type of a deployment takes and ends with; see `declare_job_types`."""
    _KEYS[job_type] = tuple(keys)
    _STATS[job_type] = dict(stats)
