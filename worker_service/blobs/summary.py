"""What is known of a blob, and how it is stored beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self


class SummaryDamaged(ValueError):
    """A stored summary that is cut off, or was changed."""


@dataclass(frozen=True, slots=True)
class BlobSummary:
    """What is known of a blob. `scope` is the scope that it was uploaded for, as plain JSON."""

    file_name: str
    size_bytes: int
    created_at: datetime
    scope: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_stored(cls, stored: bytes) -> Self:
        """A summary as it is stored. Raises SummaryDamaged."""
        try:
            kept = json.loads(stored)
            name, size, scope = kept["file_name"], kept["size_bytes"], kept["scope"]
            created_at = datetime.fromisoformat(kept["created_at"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise SummaryDamaged from error
        if type(name) is not str or type(size) is not int or type(scope) is not dict:
            raise SummaryDamaged
        return cls(name, size, created_at, scope)

    def to_store(self, size_bytes: int) -> bytes:
        """The summary of so many bytes, as it is stored."""
        said = {
            "file_name": self.file_name,
            "size_bytes": size_bytes,
            "created_at": self.created_at.isoformat(),
            "scope": dict(self.scope),
        }
        return json.dumps(said).encode()
