"""The network address of whoever asks, which behind a proxy only the proxy knows."""

import ipaddress
from collections.abc import Sequence
from typing import TypeAlias

from starlette.requests import HTTPConnection

from gateway_service.access.networks import Network

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

FORWARDED = "x-forwarded-for"
# One host may have all addresses of such a network.
HOST_PREFIX_V6 = 64


def client_address(request: HTTPConnection, proxies: Sequence[Network]) -> str:
    """The address, or of IPv6 its network of HOST_PREFIX_V6 bits; "" if it is not known.

    Anybody but a proxy of ours may write what they like into the header. So it is read from its
    end, as far as our proxies have written it. Without proxies nobody is
    told apart: then the gateway sees programs of its own machine, or a proxy that it does not know.
    """
    peer = _read(request.client.host if request.client else "")
    if not proxies or peer is None:
        return ""
    hops = ",".join(request.headers.getlist(FORWARDED)).split(",")
    while hops and _is_ours(peer, proxies):
        before = _read(hops.pop())
        if before is None:
            # A proxy of ours that does not say for whom it asks.
            return ""
        peer = before
    return _host_of(peer) if not _is_ours(peer, proxies) else ""


def _is_ours(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address.version == one.version and address in one for one in proxies)


def _read(word: str) -> Address | None:
    try:
        address = ipaddress.ip_address(word.strip().strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _host_of(address: Address) -> str:
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), HOST_PREFIX_V6), strict=False))
