"""Of servers that lend their connections for reads in turn: who asks, and what is told."""

from carbonline.postgres.turns import WAIT_SECONDS
from carbonline.serving.errors import RpcError
from carbonline.serving.interceptor import caller


def tenants_of_caller() -> str:
    """The same for all callers with the same tenants; "" for what the process does by itself."""
    try:
        return "\n".join(sorted(caller().tenants))
    except LookupError:
        return ""


def too_many_reads() -> RpcError:
    """The error for a read that has waited for a connection as long as one may."""
    return RpcError(
        "TOO_MANY_READS",
        f"for {WAIT_SECONDS:g} s other reads held every connection for reads: read again later, and"
        " less often",
    )
