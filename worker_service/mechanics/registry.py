"""Maps job types to steps: an explicit list, checked when the process starts."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run

Step: TypeAlias = Callable[[Run], Awaitable[Outcome]]


class RegistryWrong(ValueError):
    """The list names a job type twice, names an unknown one, or lacks one."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Steps by job type, in the order of the list."""

    steps: Mapping[str, Step]

    @property
    def job_types(self) -> tuple[str, ...]:
        """The job types that this worker claims."""
        return tuple(self.steps)


def check_registry(entries: Sequence[tuple[str, Step]], wanted: Collection[str]) -> Registry:
    """Makes a registry. Raises RegistryWrong unless `entries` name each wanted type exactly once.

    `entries` are pairs of a job type and its step.
    """
    names = [name for name, _ in entries]
    faults = [
        f"{name} is listed twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    faults += [f"{name} is not a wanted job type" for name in sorted(set(names) - set(wanted))]
    faults += [f"{name} has no step" for name in sorted(set(wanted) - set(names))]
    if not names:
        faults.append("no job type is listed")
    if faults:
        raise RegistryWrong("; ".join(faults))
    return Registry(MappingProxyType(dict(entries)))
