"""Networks of addresses, as a setting names them."""

import ipaddress
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks_of(words: str) -> tuple[Network, ...]:
    """Addresses and networks separated by commas. Raises ValueError, which names the wrong one."""
    return tuple(ipaddress.ip_network(one.strip()) for one in words.split(",") if one.strip())
