"""The URLs of object stores, as a setting names them."""

import re
from urllib.parse import urlsplit

SCHEMES = ("s3", "gs", "az")


def is_url(place: str) -> bool:
    """Whether a place of blobs is a URL, and not a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", place) is not None


def fault_of_url(url: str) -> str:
    """What is wrong with the URL of an object store, in words. "" for nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is not a URL"
    if parts.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        return f"must be a path, or a URL that begins with one of {known}"
    if not parts.netloc:
        return f"must name a bucket: {parts.scheme}://BUCKET/PREFIX"
    if "@" in parts.netloc or parts.query or parts.fragment:
        return (
            "must name a bucket and a prefix, and nothing else: credentials come from the"
            " environment"
        )
    return ""
