"""TLS of a server: its certificate, read again when the files change, and whom it asks for one."""

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from structlog.typing import FilteringBoundLogger

from carbonline.file_stamp import FileStamp, file_stamp
from carbonline.serving.tls_settings import TlsSettings


def server_credentials(
    tls: TlsSettings | None, log: FilteringBoundLogger
) -> grpc.ServerCredentials | None:
    """What a port is opened with; None without TLS.

    Raises OSError, whose message is a sentence, if a file cannot be used now. Later ones that
    cannot be used are logged, and the last good ones stay.
    """
    if tls is None:
        return None
    reloading = _Reloading(tls, log)
    return grpc.dynamic_ssl_server_credentials(
        reloading.read(),
        # None means that nothing is new, which its stubs do not know.
        reloading.changed,  # type: ignore[arg-type]
        require_client_authentication=tls.client_ca is not None,
    )


class _Reloading:
    """Reads the files for each new connection if one of them has changed."""

    def __init__(self, tls: TlsSettings, log: FilteringBoundLogger) -> None:
        self._tls = tls
        self._log = log
        self._stamps: tuple[FileStamp, ...] = ()

    def read(self) -> grpc.ServerCertificateConfiguration:
        """Raises OSError."""
        self._stamps = self._stamps_now()
        key, chain = self._tls.key.read_bytes(), self._tls.certificate.read_bytes()
        try:
            certificate = x509.load_pem_x509_certificates(chain)[0]
            private = load_pem_private_key(key, None)
        except (ValueError, TypeError, IndexError):
            raise OSError(
                f"{self._tls.certificate} must be a certificate and {self._tls.key} its key "
                "without a password, both as PEM"
            ) from None
        if private.public_key() != certificate.public_key():
            raise OSError(f"{self._tls.key} is not the key of {self._tls.certificate}")
        ca = self._tls.client_ca.read_bytes() if self._tls.client_ca is not None else None
        try:
            # Of an empty file gRPC takes the authorities of the system, or nobody's certificate.
            if ca is not None:
                x509.load_pem_x509_certificates(ca)
        except ValueError:
            raise OSError(f"{self._tls.client_ca} must hold certificates, as PEM") from None
        return grpc.ssl_server_certificate_configuration([(key, chain)], ca)

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """What is new; None if nothing is, or what is new cannot be used. Called by gRPC's threads,
        at the beginning of each connection.
        """
        try:
            if self._stamps_now() == self._stamps:
                return None
            new = self.read()
        except OSError as error:
            self._log.warning("tls_files_not_used", error=str(error))
            return None
        self._log.info("tls_files_read", files=[str(path) for path in self._tls.files])
        return new

    def _stamps_now(self) -> tuple[FileStamp, ...]:
        return tuple(map(file_stamp, self._tls.files))
