"""How a blob is named: the reference that jobs and people carry, and its checked parts."""

import re
from dataclasses import dataclass

PREFIX = "blob:sha256:"
# A tenant and a hash name folders and files, so nothing else may pass.
_TENANT = re.compile(r"[a-z0-9_-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ReferenceWrong(ValueError):
    """The text names no blob; `str()` of it is a sentence for people."""


@dataclass(frozen=True, slots=True)
class BlobReference:
    """A tenant's blob. `str()` gives "blob:sha256:" and 64 hex digits, without the tenant.

    Raises ReferenceWrong for parts that could name anything else than a blob's file.
    """

    tenant: str
    sha256: str

    def __post_init__(self) -> None:
        check_tenant(self.tenant)
        if not _SHA256.fullmatch(self.sha256):
            raise ReferenceWrong(f"a sha256 has 64 hexadecimal digits, not {self.sha256[:80]!r}")

    def __str__(self) -> str:
        return PREFIX + self.sha256


def check_tenant(tenant: str) -> None:
    """Raises ReferenceWrong for a tenant that cannot name a folder."""
    if not _TENANT.fullmatch(tenant):
        raise ReferenceWrong(
            f"a tenant has 1 to 64 characters of a-z, 0-9, - and _, not {tenant[:80]!r}"
        )


def read_reference(tenant: str, text: str) -> BlobReference:
    """The blob of a reference's text; ReferenceWrong where it is none."""
    if not text.startswith(PREFIX):
        raise ReferenceWrong(f"a blob is named {PREFIX}<64 hexadecimal digits>, not {text[:80]!r}")
    return BlobReference(tenant, text.removeprefix(PREFIX).lower())
