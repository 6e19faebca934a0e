"""How housekeeping tells what it has deleted."""

from collections.abc import Callable
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "rows",
    "files",
    "file_bytes",
    "entry_sets",
    "emission_sets",
    "factor_versions",
    "load_mappings",
]
# Takes a kind and how many; a metric counts them.
Deleted: TypeAlias = Callable[[Kind, int], None]


def nobody_counts(_kind: Kind, _count: int) -> None:
    """Tells nobody."""
