"""The unit that a request asks for: as it is spelt, or a refusal that names units near it."""

import asyncio
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from carbonline.serving.errors import RpcError
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.parse.values import folded_key, folded_keys
from worker_service.ledger.pool import Ledger
from worker_service.ledger.units import find_unit, read_units

NEAR_MAX = 3
# Comparing with more of them takes too long for an answer.
COMPARED_MAX = 5_000


async def spelt_unit(ledger: Ledger, tenant: str, asked: str) -> str | None:
    """The unit as the institution spells it, None for none. Raises UNIT_NOT_FOUND."""
    if not asked:
        return None
    if found := await find_unit(ledger, tenant, asked):
        return found
    units = await read_units(ledger, tenant)
    raise RpcError("UNIT_NOT_FOUND", await asyncio.to_thread(_sentence, asked, units))


def near_units(asked: str, units: Sequence[str]) -> list[str]:
    """At most NEAR_MAX of the units that are spelt nearly so; leading zeros do not count."""
    compared = units[:COMPARED_MAX]
    spelt = dict(zip(folded_keys(compared), compared, strict=True))
    key = folded_key(asked.strip())
    bare = key.lstrip("0")
    same = [one for one in spelt if bare and one.lstrip("0") == bare]
    near = [*same, *get_close_matches(key, spelt, n=NEAR_MAX)]
    return [spelt[one] for one in dict.fromkeys(near)][:NEAR_MAX]


def _sentence(asked: str, units: Sequence[str]) -> str:
    return " ".join(_sentences(asked, units))


def _sentences(asked: str, units: Sequence[str]) -> Iterator[str]:
    yield f"{shown_text(asked)} is not a unit of the institution."
    if not units:
        yield "It has no units yet: load them first."
    elif near := near_units(asked, units):
        yield f"Did you mean {' or '.join(shown_text(unit) for unit in near)}?"
