"""The files with which a client speaks TLS: whom it trusts, and who it is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. `ca` holds the authorities of the servers' certificates. `certificate` and `key`
    are the client's own, for servers that ask for one. Raises ValueError for one without the other.
    """

    ca: Path
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        """Both or none."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a client's certificate needs its key, and a key its certificate")


def tls_files(ca: Path | None, certificate: Path | None, key: Path | None) -> TlsFiles | None:
    """The files, or None without `ca`: then no TLS is spoken.

    Raises ValueError, whose message is a sentence, for files that do not go together.
    """
    if ca is not None:
        return TlsFiles(ca, certificate, key)
    if certificate is not None or key is not None:
        raise ValueError("a client's certificate is used with TLS only: name the CA, too")
    return None
