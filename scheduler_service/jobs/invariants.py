"""The invariants of the stored history: their numbers and sentences."""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

INVARIANTS: Mapping[int, str] = MappingProxyType(
    {
        1: "A job has at most one live claim, and the claim tokens of a scope only grow.",
        2: "A claim finishes its job at most once, and a finished job stays finished.",
        3: "Every submitted job ends once nothing is paused and nothing fails.",
        4: "No child exists before its parent's Finish, or after another end of the parent.",
        5: "A held child becomes a job when, and only when, the last job it waits for has ended.",
        6: "A key has at most one job in its turn, and jobs of a key run in order.",
        7: "The versions of a pipeline have no gaps.",
        8: "A pipeline's status follows from its jobs, and an ended one has no live job.",
        9: "A job uses at most as many attempts as it has.",
        10: "No later reader misses the data of a claim that ended in doubt.",
        11: "The same request id gives the same answer.",
    }
)

# Of each kind on a page. Who breaks so much is not helped by more.
FINDINGS_MAX = 100


class Finding(NamedTuple):
    """Something that breaks an invariant. 0 where it is about no pipeline or no job."""

    invariant: int
    pipeline_id: int
    job_id: int
    detail: str


def may_have_more(found: Iterable[Finding]) -> bool:
    """Whether a page that lists these may have left out others of a kind."""
    return max(Counter(one.invariant for one in found).values(), default=0) >= FINDINGS_MAX
