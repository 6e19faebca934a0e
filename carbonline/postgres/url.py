"""A database URL, which asyncpg reads everywhere, and what may be said of it: no password."""

import re
from urllib.parse import unquote_plus

# What asyncpg raises for a URL that it cannot read, or cannot use.
UNREADABLE: tuple[type[Exception], ...] = (ValueError, TypeError, LookupError)
# So begins what asyncpg says of a parameter. All else may quote the URL, its password included.
_OF_A_PARAMETER = re.compile("`ssl|root certificate file |direct TLS |No such TLS |Unsupported TLS")
_PARAMETER = re.compile(r"([?&][^=&]*=)([^&]*)")
# To the last @: a password may have one of its own, or a slash, and is not to be seen all the same.
_PASSWORD_IN_FRONT = re.compile("://([^:@]*):.*@", re.DOTALL)


def driver_url(database_url: str) -> str:
    """The URL as asyncpg takes it, whatever driver an SQLAlchemy URL names."""
    scheme, separator, rest = database_url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


def shown_url(database_url: str) -> str:
    """The URL as it may be printed: no password, neither before the host nor in the query."""
    without = _PARAMETER.sub(_parameter_without_secret, driver_url(database_url))
    return _PASSWORD_IN_FRONT.sub(r"://\1:***@", without)


def fault_of_url(error: Exception) -> str:
    """What is wrong with a URL, by what asyncpg raised for it: one of UNREADABLE."""
    said = str(error).partition("\n")[0]
    if _OF_A_PARAMETER.match(said):
        return said
    return "it is no URL like postgresql://user@host/name, or a parameter in it has a wrong value"


def _parameter_without_secret(found: re.Match[str]) -> str:
    name, value = found.groups()
    return name + ("hidden" if "password" in unquote_plus(name).lower() else value)
