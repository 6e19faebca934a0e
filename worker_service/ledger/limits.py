"""The modules and units that are a caller's, of all that a list is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read: rows of these modules and of these units. None stands for all."""

    modules: tuple[int, ...] | None = None
    units: tuple[str, ...] | None = None

    def modules_of(self, module: int | None) -> tuple[int, ...] | None:
        """The module that is asked for, else those that there are."""
        return self.modules if module is None else (module,)

    def units_of(self, unit: str | None) -> tuple[str, ...] | None:
        """The unit that is asked for, else those that there are."""
        return self.units if unit is None else (unit,)

    def has_module(self, module: int) -> bool:
        """Whether rows of a module are read."""
        return self.modules is None or module in self.modules

    def own_units(self, units: Iterable[str]) -> tuple[str, ...]:
        """Those of some units that are read."""
        own = None if self.units is None else frozenset(self.units)
        return tuple(unit for unit in units if own is None or unit in own)


NO_LIMITS = Limits()
