"""The headers that every answer carries."""

from collections.abc import Mapping
from types import MappingProxyType

POLICY_OF_DATA = "default-src 'none'; frame-ancestors 'none'"
ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }
)


def policy_of_pages(script_hash: str) -> str:
    """What a page may load: its own files, and the import map with this hash."""
    scripts = f"'self' 'sha256-{script_hash}'"
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
