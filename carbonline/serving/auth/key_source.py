"""Where keys may be read from. Settings ask it, so it needs no library of tokens."""

from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def fault_of_source(source: str) -> str:
    """Why keys must not be read from there; "" if they may. Whoever changes keys on their way can
    issue tokens.
    """
    parsed = urlsplit(source)
    if parsed.scheme and "@" in parsed.netloc:
        # Not repeated: it would stand in logs and lists.
        return "must be a URL without user and password"
    if parsed.scheme == "http" and parsed.hostname not in _LOOPBACK:
        return f"{source}: keys are fetched over https only"
    if "://" in source and parsed.scheme not in {"http", "https"}:
        return f"{source}: must be a path or an https URL"
    return ""
