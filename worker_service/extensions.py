"""What installed packages add to a worker: providers, and handlers of job types."""

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from worker_service.mechanics.registry import Step
from worker_service.providers.provider import Provider

# The groups of entry points, whose names are those of the provider and of the job type.
PROVIDERS = "carbonline.providers"
HANDLERS = "carbonline.job_types"


class NotUsable(Exception):
    """An entry point is not what its group asks for. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An entry point that cannot be used, and why."""

    entry_point: str
    reason: str


@dataclass(frozen=True, slots=True)
class Extensions:
    """What could be loaded, and what could not."""

    providers: Sequence[Provider] = ()
    handlers: Mapping[str, Step] = field(default_factory=dict)
    faults: Sequence[Fault] = ()


NO_EXTENSIONS = Extensions()


def load_extensions(declared: Collection[str], taken: Collection[str]) -> Extensions:
    """Loads every entry point of both groups. One that is broken stops only itself.

    `declared` are the job types of the deployment, `taken` the names of the worker's own providers.
    Imports what others wrote, so it may block.
    """
    faults: list[Fault] = []
    providers: dict[str, Provider] = {}
    for point, loaded in _loaded(PROVIDERS, faults):
        try:
            provider = _provider(point, loaded, {*taken, *providers})
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a stranger's code does
            faults.append(_fault(point, error))
            continue
        if provider is not None:
            providers[provider.name] = provider
    handlers: dict[str, Step] = {}
    for point, loaded in _loaded(HANDLERS, faults):
        try:
            handlers[point.name] = _handler(point, loaded, declared, handlers)
        except NotUsable as error:
            faults.append(_fault(point, error))
    return Extensions(list(providers.values()), handlers, faults)


def _loaded(group: str, faults: list[Fault]) -> Iterator[tuple[EntryPoint, Any]]:
    for point in sorted(entry_points(group=group), key=lambda one: (one.name, one.value)):
        try:
            loaded = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever an import does
            faults.append(_fault(point, error))
        else:
            yield point, loaded


def _provider(point: EntryPoint, loaded: Any, taken: Collection[str]) -> Provider | None:
    """What the factory makes; None if it has no settings here."""
    if not callable(loaded):
        raise NotUsable("is not a function that makes a provider")
    made = loaded()
    if made is None:
        return None
    if not all(hasattr(made, name) for name in ("name", "brings", "columns", "pages")):
        raise NotUsable("makes no provider: it lacks name, brings, columns or pages")
    if made.name != point.name:
        raise NotUsable(f"makes a provider that is called {made.name!r}")
    if made.name in taken:
        raise NotUsable("has the name of another provider")
    return cast(Provider, made)


def _handler(
    point: EntryPoint, loaded: Any, declared: Collection[str], taken: Collection[str]
) -> Step:
    if point.name not in declared:
        raise NotUsable("is of a job type that CARBONLINE_JOB_TYPES_FILE does not declare")
    if point.name in taken:
        raise NotUsable("is a second handler of its job type")
    if not inspect.iscoroutinefunction(loaded):
        raise NotUsable("is not an async function that takes a Run")
    return cast(Step, loaded)


def _fault(point: EntryPoint, error: BaseException) -> Fault:
    named = f"{point.group}: {point.name} = {point.value}"
    if point.dist is not None:
        named += f" ({point.dist.name} {point.dist.version})"
    if isinstance(error, NotUsable):
        return Fault(named, str(error))
    return Fault(named, f"{type(error).__name__}: {error}")
