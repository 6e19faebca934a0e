"""Database URLs: one form for the driver, and what may be printed of them, without passwords."""

import re
from urllib.parse import unquote, unquote_plus, urlsplit

# What asyncpg raises for a URL that it cannot read or use.
UNREADABLE: tuple[type[Exception], ...] = (ValueError, TypeError, LookupError)
SCHEMES = ("postgresql", "postgres")
_EXAMPLE = "postgresql://user@host/name"
# How asyncpg's messages about a parameter begin. Others may quote the URL with its password.
_OF_A_PARAMETER = re.compile("`ssl|root certificate file |direct TLS |No such TLS |Unsupported TLS")
_PARAMETER = re.compile(r"([?&][^=&]*=)([^&]*)")
# Up to the last @: a password may contain an @ or a slash.
_PASSWORD_IN_FRONT = re.compile("://([^:@]*):.*@", re.DOTALL)


def driver_url(database_url: str) -> str:
    """The URL as asyncpg takes it: without the driver that an SQLAlchemy URL may name."""
    scheme, separator, rest = database_url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


def shown_url(database_url: str) -> str:
    """The URL as it may be printed: without a password before the host or in the query."""
    without = _PARAMETER.sub(_parameter_without_secret, driver_url(database_url))
    return _PASSWORD_IN_FRONT.sub(r"://\1:***@", without)


def holds_password(database_url: str) -> bool:
    """Whether whoever sees the URL sees a password. An empty one is none."""
    in_front = _PASSWORD_IN_FRONT.search(database_url)
    if in_front is not None and not in_front.group().endswith(":@"):
        return True
    return any(
        value and _is_secret(name) for name, value in _PARAMETER.findall(driver_url(database_url))
    )


def fault_of_shape(database_url: str) -> str:
    """Why nothing can be reached by the URL, as far as it says so itself; "" if that is not known
    before somebody connects. It names nothing of the URL but a scheme that is a word.
    """
    scheme, separator, _ = driver_url(database_url).partition("://")
    # If it is not a word, it is not a scheme, and may be a password.
    if separator and scheme.isalnum() and scheme.lower() not in SCHEMES:
        return f"it is not a URL like {_EXAMPLE}: {scheme} is not PostgreSQL"
    try:
        hosts = urlsplit(database_url).netloc.rpartition("@")[2].split(",")
    except ValueError:
        hosts = [":"]
    # An address of IPv6 has its colons in brackets.
    ports = [host.rpartition("]")[2].partition(":") for host in hosts]
    good = scheme.lower() in SCHEMES and all(
        not colon or unquote(port).isdecimal() for _, colon, port in ports
    )
    return "" if separator and good else f"it is not a URL like {_EXAMPLE}"


def fault_of_url(error: Exception) -> str:
    """What is wrong with a URL for which asyncpg raised `error`, one of UNREADABLE."""
    message = str(error).partition("\n")[0]
    if _OF_A_PARAMETER.match(message):
        return message
    return f"it is not a URL like {_EXAMPLE}, or a parameter has a wrong value"


def _parameter_without_secret(found: re.Match[str]) -> str:
    name, value = found.groups()
    return name + ("hidden" if _is_secret(name) else value)


def _is_secret(parameter: str) -> bool:
    return "password" in unquote_plus(parameter).lower()
