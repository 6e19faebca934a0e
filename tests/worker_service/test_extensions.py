"""Entry points of installed packages: what is loaded, and what only names itself."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from worker_service import extensions
from worker_service.extensions import HANDLERS, PROVIDERS, load_extensions


class Brings:
    name = "mine"
    brings = "plane"
    columns = ("a",)
    pages = None


def made() -> Brings:
    return Brings()


def none_here() -> None:
    return None


def raising() -> None:
    raise RuntimeError("no settings")


def ending() -> None:
    raise SystemExit(3)


def an_object() -> object:
    return object()


async def handler(_run: object) -> None: ...


def blocking(_run: object) -> None: ...


def loaded(
    monkeypatch: pytest.MonkeyPatch, points: list[tuple[str, str, str]], taken: tuple[str, ...] = ()
) -> tuple[list[str], list[str], list[str]]:
    """The providers, the handlers and the reasons of faults of entry points of this module."""
    found = [EntryPoint(name, f"{__name__}:{attribute}", of) for of, name, attribute in points]

    def entry_points(group: str) -> list[Any]:
        return [one for one in found if one.group == group]

    monkeypatch.setattr(extensions, "entry_points", entry_points)
    all_of = load_extensions(["own", "other"], taken)
    reasons = [fault.reason for fault in all_of.faults]
    return [one.name for one in all_of.providers], sorted(all_of.handlers), reasons


def test_providers_and_handlers_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [(PROVIDERS, "mine", "made"), (HANDLERS, "own", "handler")]
    points += [(PROVIDERS, "elsewhere", "none_here"), (HANDLERS, "other", "handler")]
    assert loaded(monkeypatch, points) == (["mine"], ["other", "own"], [])


@pytest.mark.parametrize(
    ("of", "name", "attribute", "reason"),
    [
        (PROVIDERS, "bad", "raising", "RuntimeError: no settings"),
        (PROVIDERS, "bad", "ending", "SystemExit: 3"),
        (PROVIDERS, "bad", "an_object", "makes no provider"),
        (PROVIDERS, "bad", "made", "makes a provider that is called 'mine'"),
        (PROVIDERS, "bad", "PROVIDERS", "is not a function that makes a provider"),
        (PROVIDERS, "bad", "missing", "AttributeError"),
        (HANDLERS, "bad", "handler", "does not declare"),
        (HANDLERS, "other", "blocking", "is not an async function"),
        (HANDLERS, "own", "handler", "is a second handler"),
    ],
)
def test_a_broken_one_stops_only_itself(
    monkeypatch: pytest.MonkeyPatch, of: str, name: str, attribute: str, reason: str
) -> None:
    points = [(PROVIDERS, "mine", "made"), (HANDLERS, "own", "handler"), (of, name, attribute)]
    providers, handlers, [told] = loaded(monkeypatch, points)
    assert (providers, handlers) == (["mine"], ["own"])
    assert reason in told


def test_a_provider_never_takes_the_name_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [(PROVIDERS, "mine", "made")]
    providers, _, [told] = loaded(monkeypatch, points, taken=("mine",))
    assert (providers, told) == ([], "has the name of another provider")
