"""What a provider is: it brings the rows of a year, and knows nobody who stores them."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class ProviderError(Exception):
    """The rows cannot be had. The message is a sentence for people, without any credentials."""


class ProviderUnavailable(ProviderError):
    """The service does not answer, or cannot answer now. The same request may succeed later."""


class ProviderRefused(ProviderError):
    """The service refuses, or answers what cannot be used. To repeat the request would not help.

    `cause` is a short stable word for programs.
    """

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a provider: the rows of a year.

    `check` is called before each request, and raises if the rows are no longer wanted.
    """

    year: int
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the rows, in an order that does not change from one request to the next.

    `rows` have a text per column of the provider, "" for none. `dropped` counts rows that were left
    out, by reason; `assumed` counts what was taken for something else, in words. `total` is about
    how many rows there are in all, 0 if unknown.
    """

    rows: Sequence[Sequence[str]]
    dropped: Mapping[str, int] = field(default_factory=dict)
    assumed: Mapping[str, int] = field(default_factory=dict)
    total: int = 0


class Provider(Protocol):
    """Brings rows of one kind. It keeps nothing between two calls."""

    @property
    def name(self) -> str:
        """How jobs and people name it, such as "travel-api"; also the source of its uploads."""
        ...

    @property
    def brings(self) -> str:
        """The name of the data-entry type of its rows, such as "plane", or "units"."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """The columns of its rows, named as in a file of them."""
        ...

    def pages(self, wanted: Wanted) -> AsyncGenerator[Page, None]:
        """Yields all rows of a year. Raises ProviderError."""
        ...
