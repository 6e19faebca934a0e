"""Where a process serves its metrics and probes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricsAddress:
    """An IP address of this machine, and a port; `port` 0 serves none."""

    port: int = 0
    host: str = "127.0.0.1"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
