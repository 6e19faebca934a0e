"""The settings that bound what one tenant or caller may have at once."""

from carbonline.serving.declared_settings import Setting
from carbonline.serving.settings import SettingsReader
from scheduler_service.jobs.limits import LIMITS, Limits

# Beyond it a limit bounds nothing.
MOST = 100_000_000
# Each thousand of them takes some 0.1 s of one transaction.
CHILDREN_MOST = 100_000


def _limit(name: str, default: int, unit: str, does: str, most: int = MOST) -> Setting:
    return Setting(name, f"a whole number from 1 up to {most:,}", does, f"{default}", unit=unit)


LIVE_JOBS_MAX = _limit(
    "LIVE_JOBS_MAX",
    LIMITS.live_jobs,
    "jobs",
    "How many jobs of a tenant may wait, whatever for. Submit refuses the next one with "
    "TOO_MANY_LIVE_JOBS. Children and repairs are never refused.",
)
JOINERS_MAX = _limit(
    "JOINERS_MAX",
    LIMITS.joiners,
    "pipelines",
    "How many pipelines may join a waiting job. Submit refuses the next one with "
    "TOO_MANY_JOINERS. Children always join.",
)
PARKED_CLAIMS_MAX = _limit(
    "PARKED_CLAIMS_MAX",
    LIMITS.parked_claims,
    "claims",
    "How many Claims of one caller may wait for work at this scheduler; half as many again of all "
    "callers of a tenant, and twice as many of all. The next one is refused with "
    "TOO_MANY_PARKED_CLAIMS.",
)
WATCHES_MAX = _limit(
    "WATCHES_MAX",
    LIMITS.watches,
    "streams",
    "How many watches of one caller this scheduler serves at once; half as many again of all "
    "callers in a tenant, and twice as many of all. The next one is refused with TOO_MANY_STREAMS.",
)
CHILDREN_MAX = _limit(
    "CHILDREN_MAX",
    LIMITS.children,
    "jobs",
    "The most children that one job may chain. Its Finish makes jobs of all of them in one "
    "transaction, which takes some 0.1 s for each thousand.",
    CHILDREN_MOST,
)
LIMIT_SETTINGS = (CHILDREN_MAX, LIVE_JOBS_MAX, JOINERS_MAX, PARKED_CLAIMS_MAX, WATCHES_MAX)


def read_limits(read: SettingsReader) -> Limits:
    """The limits of an environment; faults are left with the reader."""
    return Limits(
        live_jobs=read.whole(LIVE_JOBS_MAX, most=MOST),
        joiners=read.whole(JOINERS_MAX, most=MOST),
        parked_claims=read.whole(PARKED_CLAIMS_MAX, most=MOST),
        watches=read.whole(WATCHES_MAX, most=MOST),
        children=read.whole(CHILDREN_MAX, most=CHILDREN_MOST),
    )
