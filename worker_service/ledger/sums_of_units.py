"""Reads the totals of units that stand in for kilograms which factors leave out."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from worker_service.carbon.catalogue import module_of
from worker_service.carbon.declarations import UnitSums
from worker_service.carbon.parse.values import comparison_keys
from worker_service.carbon.unit_sums import ModuleKilograms, SumsOfUnits, number_of, sums_of
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.input_versions import newest_change, reference_input
from worker_service.ledger.pool import Connection

# Nulls are not stored, so a factor has the keys of its values. Almost all years have none.
LACKING = """
SELECT DISTINCT classification ->> $5 AS unit
FROM carbon.factors
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND removed_at IS NULL
    AND NOT factor_values ?& CAST($4 AS text[])
ORDER BY unit
"""
UNITS = "SELECT DISTINCT unit FROM carbon.totals WHERE tenant = $1 AND year = $2 AND module <> $3"
TOTALS = """
SELECT unit, total_kg, by_emission_type
FROM carbon.totals
WHERE tenant = $1 AND year = $2 AND module <> $3 AND unit = ANY(CAST($4 AS text[]))
"""


async def sums_of_units(conn: Connection, of: FactorSlice, declared: UnitSums) -> SumsOfUnits:
    """The sums of all units whose factors leave some out, by the key of the unit.

    The type's own module is left out of them, so that no total depends on itself. Call it within a
    snapshot.
    """
    columns = [column for column, _ in declared.columns]
    slice_ = (of.tenant, of.data_entry_type, of.year)
    lacking = [row["unit"] for row in await conn.fetch(LACKING, *slice_, columns, declared.unit)]
    if not lacking:
        return {}
    year = (of.tenant, of.year, module_of(of.data_entry_type).id)
    units = [row["unit"] for row in await conn.fetch(UNITS, *year)]
    keys = await asyncio.to_thread(_keys, units, lacking)
    found: defaultdict[str, list[ModuleKilograms]] = defaultdict(list)
    for unit, total, by_emission_type in await conn.fetch(TOTALS, *year, list(keys)):
        found[keys[unit]].append(ModuleKilograms(total, by_emission_type))
    return {unit: sums_of(declared, found[unit]) for unit in lacking}


def _keys(units: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    """The keys of units that are wanted, by the unit as it is spelled."""
    keyed = zip(units, comparison_keys(list(units)), strict=True)
    return {unit: key for unit, key in keyed if key in set(wanted)}


async def references_number(
    conn: Connection, of: FactorSlice, references: Sequence[str], sums: UnitSums | None
) -> int:
    """A number that is another one if what a formula reads beside entries and factors is.

    It is the newest token of its kinds of reference data, or stands for the sums of units. Call it
    within a snapshot.
    """
    if sums is None:
        return await newest_change(conn, of.tenant, [reference_input(one) for one in references])
    return number_of(await sums_of_units(conn, of, sums))
