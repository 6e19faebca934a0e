"""How much of what is deleted after a while was deleted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Removed:
    """Rows by kind. `requests` are answered Submits, which go with their pipelines, and answered
    Claims. `is_all` is False if time was over before everything was looked at.
    """

    pipelines: int = 0
    jobs: int = 0
    links: int = 0
    events: int = 0
    requests: int = 0
    workers: int = 0
    pauses: int = 0
    is_all: bool = True

    def __add__(self, other: "Removed") -> "Removed":
        """Both together; all only if both are."""
        return Removed(
            self.pipelines + other.pipelines,
            self.jobs + other.jobs,
            self.links + other.links,
            self.events + other.events,
            self.requests + other.requests,
            self.workers + other.workers,
            self.pauses + other.pauses,
            self.is_all and other.is_all,
        )

    def counts(self) -> dict[str, int]:
        """Kind to number, for those of which there were some."""
        kinds = ("pipelines", "jobs", "links", "events", "requests", "workers", "pauses")
        return {kind: n for kind in kinds if (n := getattr(self, kind))}
