"""How long the database has been silent, and what callers are told of it before their deadlines."""

from time import monotonic

from carbonline.serving.errors import RpcError

# As long as a ping may take: a database that is only busy answers it sooner.
SILENT_SECONDS = 2.0


class Silence:
    """Whether the database owes an answer to the server's ping. One per server.

    A database that is frozen, or behind a network that passes no bytes, fails no statement: only
    the time tells. Each statement has a bound of its own at last, but a call may wait for others'
    statements, for a connection and for several statements, and its caller for none of them.
    """

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._asked_at: float | None = None

    def asked(self) -> None:
        """A ping is on its way. The first one that is not answered begins the silence."""
        if self._asked_at is None:
            self._asked_at = monotonic()

    def answered(self) -> None:
        """The database has said something."""
        self._asked_at = None

    @property
    def seconds(self) -> float:
        """For how long it has owed an answer."""
        return 0.0 if self._asked_at is None else monotonic() - self._asked_at

    @property
    def is_long(self) -> bool:
        """Whether that is too long for a database that answers."""
        return self.seconds > SILENT_SECONDS

    def error(self, *, leaves_time: bool) -> RpcError:
        """What a caller is told. `leaves_time` is whether it could repeat the call at once."""
        return RpcError(
            "DATABASE_UNAVAILABLE",
            f"the database has not answered for {self.seconds:.0f} s; retry this call later",
            leaves_time=leaves_time,
        )
