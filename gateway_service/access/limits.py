"""How many streams there may be at once: in this process, for one caller, and for one address."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import HTTPConnection

from carbonline.v1 import operations_pb2
from gateway_service.access.client_address import client_address
from gateway_service.access.networks import Network
from gateway_service.settings import STREAMS_OF_ADDRESS_MAX
from gateway_service.transcode.problems import Problem

STREAMS_MAX = 2_000
STREAMS_OF_CALLER_MAX = 20
RETRY_SECONDS = 5.0


Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Place:
    """What an open stream counts for. `address` is "" if it is not known."""

    caller: tuple[str, ...]
    address: str


class StreamLimits:
    """Counts open streams. Callers are told apart by their names and tenants, as the services tell
    them apart: one who has several tokens has the streams of one.

    Addresses are those behind `proxies`; without proxies they are not counted.
    """

    def __init__(
        self,
        streams_max: int = STREAMS_MAX,
        of_caller_max: int = STREAMS_OF_CALLER_MAX,
        of_address_max: int = STREAMS_OF_ADDRESS_MAX,
        proxies: Sequence[Network] = (),
    ) -> None:
        self._streams_max = streams_max
        self._of_caller_max = of_caller_max
        self._of_address_max = of_address_max
        self._proxies = proxies
        self._of_callers: Counter[tuple[str, ...]] = Counter()
        self._of_addresses: Counter[str] = Counter()

    @property
    def streams(self) -> int:
        """How many are open."""
        return self._of_callers.total()

    def open(self, caller: operations_pb2.GetCallerResponse, request: HTTPConnection) -> Place:
        """Counts a stream; give what it returns to `close`. Raises Problem TOO_MANY_STREAMS."""
        if self.streams >= self._streams_max:
            words = f"This gateway serves {self._streams_max:,} streams, and no more. Try later."
            raise Problem(503, "TOO_MANY_STREAMS", words, retry_seconds=RETRY_SECONDS)
        who = (caller.name, *sorted(caller.tenants))
        if self._of_callers[who] >= self._of_caller_max:
            words = f"You have {self._of_caller_max} streams open. Close one, or try later."
            raise Problem(429, "TOO_MANY_STREAMS", words, retry_seconds=RETRY_SECONDS)
        address = client_address(request, self._proxies)
        if address and self._of_addresses[address] >= self._of_address_max:
            words = (
                f"Your network address {address} has {self._of_address_max} streams open. Close "
                "one, or try later."
            )
            raise Problem(429, "TOO_MANY_STREAMS", words, retry_seconds=RETRY_SECONDS)
        place = Place(who, address)
        self._of_callers[who] += 1
        if address:
            self._of_addresses[address] += 1
        return place

    def close(self, place: Place) -> None:
        """A stream has ended."""
        _take_one(self._of_callers, place.caller)
        if place.address:
            _take_one(self._of_addresses, place.address)


def _take_one(counted: Counter[Key], key: Key) -> None:
    counted[key] -= 1
    if not counted[key]:
        del counted[key]
