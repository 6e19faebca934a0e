"""Every line that the source can log, found by reading it: event, level, fields."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scheduler_service.store.release.release_claims import Fault
from scheduler_service.store_observer import ALARMING, OF_MANY_JOBS

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("carbonline", "gateway_service", "scheduler_service", "worker_service")
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error"}
LEVELS |= {"exception": "error", "critical": "error"}
# The two calls that log what a variable names: events of the timeline, of a job and of many.
TIMELINE = "event.event"
TIMELINE_OF_MANY = "event_of_many"


@dataclass(frozen=True, slots=True)
class LogCall:
    """A call of a logger; `more` says that it has fields which its source does not spell out."""

    where: str
    event: str
    level: str
    fields: frozenset[str]
    more: bool


@cache
def log_calls() -> tuple[LogCall, ...]:
    """All of them. ValueError for a call whose event is not to be read from the source."""
    return tuple(call for path in source_files() for call in calls_in(path))


def source_files() -> list[Path]:
    """What is shipped and written by hand."""
    files = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]
    return [path for path in files if "v1" not in path.parts]


def calls_in(path: Path) -> Iterator[LogCall]:
    """The log calls of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            chosen = dict(_chosen_levels(function))
            for node in _own_nodes(function):
                if isinstance(node, ast.Call) and (levels := _levels_of(node.func, chosen)):
                    yield from _log_calls(f"{path.name}:{node.lineno}", node, levels)


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Without those of functions inside it."""
    for node in ast.iter_child_nodes(function):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _own_nodes(node)


def _chosen_levels(function: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """`say = log.info if ... else log.debug`: the name, and the levels that it may stand for."""
    for node in _own_nodes(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            options = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
            levels = tuple(level for option in options for level in _levels_of(option, {}))
            if levels:
                yield node.targets[0].id, levels


def _levels_of(function: ast.expr, chosen: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    match function:
        case ast.Name(id=name):
            return chosen.get(name, ())
        case ast.Attribute(
            value=ast.Name(id=receiver) | ast.Attribute(attr=receiver), attr=method
        ) if receiver.lstrip("_") in {"log", "logger"} and method in LEVELS:
            return (LEVELS[method],)
    return ()


def _log_calls(where: str, call: ast.Call, levels: tuple[str, ...]) -> Iterator[LogCall]:
    # A traceback is written as a field of its own.
    names = [word.arg for word in call.keywords if word.arg]
    fields = frozenset("exception" if name == "exc_info" else name for name in names)
    more = any(word.arg is None for word in call.keywords)
    match call.args:
        case [ast.Constant(value=str(event))]:
            for level in levels:
                yield LogCall(where, event, level, fields, more)
        case [argument] if ast.unparse(argument) == TIMELINE:
            for event in timeline_events() - OF_MANY_JOBS:
                level = "warning" if event in ALARMING else "info"
                assert level in levels
                yield LogCall(where, event, level, fields, more)
        case [argument] if ast.unparse(argument) == TIMELINE_OF_MANY:
            for event in OF_MANY_JOBS:
                yield LogCall(where, event, levels[0], fields, more)
        case _:
            raise ValueError(f"{where}: {ast.unparse(call)} logs what its source does not say")


def timeline_events() -> frozenset[str]:
    """What the scheduler's store writes into the timeline."""
    events: set[str] = set()
    for path in (REPOSITORY / "scheduler_service" / "store").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Event":
                named = node.args[4]
                if isinstance(named, ast.Constant):
                    events.add(str(named.value))
                else:
                    assert ast.unparse(named) == "item.fault", path
                    events |= {fault.value for fault in Fault}
    return frozenset(events)
