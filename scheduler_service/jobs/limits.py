"""How much one tenant or caller may have at once, so that who floods refuses only itself."""

from dataclasses import dataclass

# How long an ended pipeline is kept, unless the settings say otherwise.
RETENTION_DAYS = 90.0
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """Each is of one tenant or caller and of one scheduler, but `live_jobs`, which is of a tenant
    everywhere, and `joiners` and `children`, which are of a job. There may be twice as many
    `parked_claims` and `watches` of all callers together, and half as many again of a tenant's.
    """

    live_jobs: int = 250_000
    joiners: int = 1_000
    parked_claims: int = 5_000
    watches: int = 10_000
    children: int = 10_000


LIMITS = Limits()
