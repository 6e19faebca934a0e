"""A credential of a service: given by the environment or in a file, and never shown."""

from dataclasses import dataclass, field
from pathlib import Path

from worker_service.providers.provider import ProviderRefused

SHOWN = "***"


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or a key: `value` itself, or the `file` that has it on its first line.

    A file is read anew each time, so that a credential can be replaced without a restart. Neither
    is part of its text form.
    """

    variable: str
    value: str = field(default="", repr=False)
    file: Path | None = None

    def read(self) -> str:
        """The credential. Blocks. Raises ProviderRefused if its file has none."""
        if self.file is None:
            return self.value
        try:
            first, *_ = self.file.read_text("utf-8").splitlines() or [""]
        except (OSError, UnicodeDecodeError) as error:
            raise ProviderRefused(
                "credential_missing",
                f"The file that {self.variable}_FILE names cannot be read on this worker"
                f" ({getattr(error, 'strerror', None) or type(error).__name__}).",
            ) from error
        if secret := first.strip():
            return secret
        raise ProviderRefused(
            "credential_missing", f"The file that {self.variable}_FILE names is empty."
        )


def without(text: str, *secrets: str) -> str:
    """The text with each of the secrets replaced: a service may repeat what it was sent."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, SHOWN)
    return text
