"""Which step runs which type of job: an explicit list, checked when the process starts."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run

Step: TypeAlias = Callable[[Run], Awaitable[Outcome]]


class RegistryWrong(ValueError):
    """The list names a type twice, an unknown type, or lacks one."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Steps by job type, in the order of the list."""

    steps: Mapping[str, Step]

    @property
    def job_types(self) -> tuple[str, ...]:
        """What this worker sends to Claim."""
        return tuple(self.steps)


def check_registry(entries: Sequence[tuple[str, Step]], wanted: Collection[str]) -> Registry:
    """The registry of a list that names each wanted type once and nothing else."""
    names = [name for name, _ in entries]
    faults = [
        f"{name} is listed twice" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    faults += [f"{name} is no job type" for name in sorted(set(names) - set(wanted))]
    faults += [f"{name} has no step" for name in sorted(set(wanted) - set(names))]
    if not names:
        faults.append("no job type is listed")
    if faults:
        raise RegistryWrong("; ".join(faults))
    return Registry(MappingProxyType(dict(entries)))
