"""References of blobs, as jobs and people carry them, with checked parts."""

import re
from dataclasses import dataclass

from carbonline.tenants import is_tenant

PREFIX = "blob:sha256:"
# They name folders and files, so nothing else may pass.
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ReferenceWrong(ValueError):
    """The text is not a reference of a blob. The message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class BlobReference:
    """A blob of a tenant. `str()` gives "blob:sha256:" and 64 hex digits, without the tenant.

    Raises ReferenceWrong if the tenant or the hash is not valid, so that a reference always names a
    file in the tenant's folder.
    """

    tenant: str
    sha256: str

    def __post_init__(self) -> None:
        check_tenant(self.tenant)
        if not _SHA256.fullmatch(self.sha256):
            raise ReferenceWrong(f"a SHA-256 has 64 hexadecimal digits; got {self.sha256[:80]!r}")

    def __str__(self) -> str:
        return PREFIX + self.sha256


def check_tenant(tenant: str) -> None:
    """Raises ReferenceWrong unless the tenant is a valid name of a folder."""
    if not is_tenant(tenant):
        raise ReferenceWrong(
            f"a tenant has 1 to 64 characters of a-z, 0-9, - and _; got {tenant[:80]!r}"
        )


def read_reference(tenant: str, text: str) -> BlobReference:
    """Parses a reference such as "blob:sha256:0f3a...". Raises ReferenceWrong."""
    if not text.startswith(PREFIX):
        raise ReferenceWrong(
            f"a blob reference is {PREFIX}<64 hexadecimal digits>; got {text[:80]!r}"
        )
    return BlobReference(tenant, text.removeprefix(PREFIX).lower())
