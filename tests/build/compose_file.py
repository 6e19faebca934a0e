"""docker-compose.yml as a container engine would read it, and what the processes read of it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PREFIX = "CARBONLINE_"
VARIABLE = re.compile(r"\$\{(\w+)(?::?[?-]([^}]*))?\}")


class RecordingEnvironment(Mapping[str, str]):
    """An environment that remembers which of its variables were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """`values` is what it says; asking for others is remembered, too."""
        self._values = dict(values)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def compose() -> Mapping[str, Any]:
    """The file, anchors and merges resolved, variables of the shell set to their names."""
    text = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = yaml.safe_load(VARIABLE.sub(lambda match: match[1].lower(), text))
    return loaded


def services() -> Mapping[str, Any]:
    """The services by name."""
    found: Mapping[str, Any] = compose()["services"]
    return found


def environment_of(service: str) -> dict[str, str]:
    """What a service's process finds in its environment."""
    return dict(services()[service].get("environment", {}))


def mounts_of(service: str) -> dict[str, str]:
    """Mounted folder -> volume or folder of the host."""
    pairs = [mount.split(":")[:2] for mount in services()[service].get("volumes", [])]
    return {target: source for source, target in pairs}


def settings_names(module: Any, environment: Mapping[str, str], *role: str) -> set[str]:
    """The CARBONLINE_ variables that a service's settings ask for; they must all be right."""
    recording = RecordingEnvironment(environment)
    module.read_settings(recording, *role)
    return {name for name in recording.asked if name.startswith(PREFIX)}
