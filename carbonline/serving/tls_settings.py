"""The settings of a server's TLS."""

from dataclasses import dataclass
from pathlib import Path

from carbonline.serving.declared_settings import Setting
from carbonline.serving.settings import SettingsReader

MESH = "a mesh or proxy encrypts"
TLS_CERT_FILE = Setting(
    "TLS_CERT_FILE",
    "a path",
    "The certificate of this server, with those between it and the authority, as PEM. With it, a "
    "port speaks TLS 1.2 or newer. A changed file is used for the next connection.",
)
TLS_KEY_FILE = Setting(
    "TLS_KEY_FILE", "a path", "The key of TLS_CERT_FILE, as PEM.", holds_secret=True
)
TLS_CLIENT_CA_FILE = Setting(
    "TLS_CLIENT_CA_FILE",
    "a path",
    "The authorities of the clients' certificates, as PEM. With it, a client without such a "
    "certificate cannot connect. Calls need a token besides, or CLIENT_CERTIFICATES_FILE.",
)
CLIENT_CERTIFICATES_FILE = Setting(
    "CLIENT_CERTIFICATES_FILE",
    "a path",
    "A TOML file that says what callers with a certificate of TLS_CLIENT_CA_FILE may do: see "
    "docs/security.md. A changed file is used at once.",
)
WITHOUT_TLS = Setting(
    "WITHOUT_TLS",
    f'"{MESH}" or nothing',
    "Allows a port on the network without TLS, in these words: something else encrypts, and nobody "
    "reaches the port but through it.",
)
TLS_SETTINGS = (
    TLS_CERT_FILE,
    TLS_KEY_FILE,
    TLS_CLIENT_CA_FILE,
    CLIENT_CERTIFICATES_FILE,
    WITHOUT_TLS,
)


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files: the server's certificate and key, and the authorities of its clients, if it asks
    them for certificates. `callers` says what clients with a certificate may do.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
    callers: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The PEM files."""
        own = (self.certificate, self.key)
        return own if self.client_ca is None else (*own, self.client_ca)


def read_tls_settings(read: SettingsReader) -> tuple[TlsSettings | None, bool]:
    """The files, or None without TLS; and whether something else encrypts.

    Faults go to the reader.
    """
    behind_mesh = encrypted_elsewhere(read)
    certificate, key = read.path(TLS_CERT_FILE), read.path(TLS_KEY_FILE)
    client_ca, callers = read.path(TLS_CLIENT_CA_FILE), read.path(CLIENT_CERTIFICATES_FILE)
    if callers is not None and client_ca is None:
        read.faults.append(
            f"{CLIENT_CERTIFICATES_FILE.variable} needs {TLS_CLIENT_CA_FILE.variable}: without it "
            "no client shows a certificate"
        )
    if certificate is not None and key is not None:
        return TlsSettings(certificate, key, client_ca, callers), behind_mesh
    if certificate is not None or key is not None or client_ca is not None:
        read.faults.append(
            f"{TLS_CERT_FILE.variable} and {TLS_KEY_FILE.variable} must be set together"
        )
    return None, behind_mesh


def encrypted_elsewhere(read: SettingsReader) -> bool:
    """Whether something else encrypts. A wrong word goes to the reader's faults."""
    words = read.text(WITHOUT_TLS)
    if words not in {"", MESH}:
        read.faults.append(f'{WITHOUT_TLS.variable} must be "{MESH}" or empty, not {words!r}')
    return words == MESH
