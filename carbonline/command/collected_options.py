"""Collects several options of a command into one argument."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def with_options(
    function: Function, collected: Callable[..., Any], options: Sequence[Option]
) -> Function:
    """A command that has the options of `function` and `options` before them.

    `function` is the command so far. `collected` takes the values of `options` by name and calls
    `function` with the value that they make up.
    """
    collected.__name__, collected.__doc__ = function.__name__, function.__doc__
    # Options that were declared below this decorator.
    collected.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    for option in reversed(options):
        collected = option(collected)
    return collected  # type: ignore[return-value]  # the same command with its options collected
