"""Addresses of servers: one, or several separated by commas."""

import ipaddress
from collections.abc import Sequence

UNIX = "unix:"


def addresses_of(address: str) -> Sequence[str]:
    """The single addresses of one that may name several, separated by commas."""
    return tuple(one.strip() for one in address.split(",") if one.strip())


def target_of(address: str, *, with_tls: bool = False) -> str:
    """What gRPC calls the servers of an address. Sockets speak no TLS.

    Raises ValueError, whose message is a sentence, if several addresses do not go together, or not
    `with_tls`.
    """
    addresses = addresses_of(address)
    if len(addresses) < 2:
        return address.strip(", ")
    if all(one.startswith(UNIX) for one in addresses):
        return UNIX + ",".join(one.removeprefix(UNIX) for one in addresses)
    if with_tls:
        raise ValueError(
            f"{address}: with TLS, use one name that stands for all servers, for which each has a "
            "certificate"
        )
    versions = {_ip_version(one) for one in addresses}
    if versions == {4}:
        return "ipv4:" + ",".join(addresses)
    if versions == {6}:
        return "ipv6:" + ",".join(addresses)
    raise ValueError(
        f"{address}: several addresses must all be unix sockets, all be IPv4 or all be IPv6 "
        "addresses with a port; for names of hosts, use one name that stands for all of them"
    )


def _ip_version(address: str) -> int:
    """4 or 6; 0 for what is not an IP address with a port."""
    host, _, port = address.rpartition(":")
    try:
        parsed = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return 0
    bracketed = host.startswith("[")
    return parsed.version if port.isdecimal() and bracketed == (parsed.version == 6) else 0
