"""Database URLs: one form for the driver, and what may be printed of them, without passwords."""

import re
from urllib.parse import unquote_plus

# What asyncpg raises for a URL that it cannot read or use.
UNREADABLE: tuple[type[Exception], ...] = (ValueError, TypeError, LookupError)
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


def fault_of_url(error: Exception) -> str:
    """What is wrong with a URL for which asyncpg raised `error`, one of UNREADABLE."""
    message = str(error).partition("\n")[0]
    if _OF_A_PARAMETER.match(message):
        return message
    return "it is not a URL like postgresql://user@host/name, or a parameter has a wrong value"


def _parameter_without_secret(found: re.Match[str]) -> str:
    name, value = found.groups()
    return name + ("hidden" if "password" in unquote_plus(name).lower() else value)
