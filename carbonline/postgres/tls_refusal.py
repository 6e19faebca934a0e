"""Tells a connection that TLS refused from one that nobody took. Waiting mends the second only."""

import ssl

# asyncpg raises a ConnectionError of these words if the URL wants TLS and the server has none.
_NO_TLS = "rejected SSL upgrade"
WHAT_TO_DO = (
    "give the server a certificate for this name, or correct sslmode and sslrootcert in the URL"
)


def refused_by_tls(error: BaseException | None) -> bool:
    """Whether the server has no TLS, or a certificate that the URL does not let one trust."""
    return isinstance(error, ssl.SSLError) or (
        isinstance(error, ConnectionError) and _NO_TLS in str(error)
    )
