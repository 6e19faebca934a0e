"""Files of facilities and of the gas that they emit, and what their totals come to."""

from collections.abc import Mapping

from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import YEAR, WorkerHarness
from worker_service.carbon.catalogue import module_of
from worker_service.ledger.freshness import ModuleState, computable_types, read_states
from worker_service.ledger.totals import stored_totals

GASES = types_pb2.DATA_ENTRY_TYPE_PROCESS_EMISSIONS
USES = types_pb2.DATA_ENTRY_TYPE_RESEARCH_FACILITIES
MICE = types_pb2.DATA_ENTRY_TYPE_MICE_AND_FISH_ANIMAL_FACILITIES
GAS, FACILITIES = types_pb2.MODULE_PROCESS_EMISSIONS, types_pb2.MODULE_RESEARCH_FACILITIES
UNITS = "unit_institutional_id,name\n0828,Physics\n0829,Law\nMIC,Microscopy\nNMR,Resonance\n"
OF_FACTORS = "researchfacility_id,researchfacility_name,use_unit,total_use,kg_co2eq_sum\n"
OF_USES = "unit_institutional_id,researchfacility_id,researchfacility_name,use,use_unit\n"
TOTAL_USE = 100


async def load(
    harness: WorkerHarness, job_type: str, data_entry_type: int, text: str, **payload: str
) -> PipelineView:
    return await harness.ended(await send(harness, job_type, data_entry_type, text, **payload))


async def send(
    harness: WorkerHarness, job_type: str, data_entry_type: int, text: str, **payload: str
) -> int:
    module = module_of(data_entry_type).id
    scope = {"module": module, "data_entry_type": data_entry_type, "year": YEAR}
    return await harness.submit(job_type, text, payload=payload, **scope)


def gases(rows: Mapping[str, float]) -> str:
    """Kilograms of CO2 by unit."""
    lines = [f"{unit},co2,{kg}\n" for unit, kg in rows.items()]
    return "unit_institutional_id,category,quantity\n" + "".join(lines)


def uses(rows: Mapping[tuple[str, str], float]) -> str:
    """Hours by unit and facility."""
    lines = [f"{unit},{facility},Of it,{use},hours\n" for (unit, facility), use in rows.items()]
    return OF_USES + "".join(lines)


def factors(sums: Mapping[str, float | None]) -> str:
    """Kilograms by facility, None where its own totals count."""
    lines = [
        f"{facility},Of it,hours,{TOTAL_USE},{'' if kg is None else kg}\n"
        for facility, kg in sums.items()
    ]
    return OF_FACTORS + "".join(lines)


async def prepare(harness: WorkerHarness) -> None:
    """Units, and a gas of which a kilogram is a kilogram."""
    await harness.load_units(UNITS)
    text = "category,unit,ef_kg_co2eq_per_unit\nco2,kg,1\n"
    await load(harness, "factor_ingest", GASES, text)


async def kg(harness: WorkerHarness) -> dict[tuple[int, str], float]:
    """Kilograms by module and unit, and nothing where there are none."""
    return (await looked_at(harness))[0]


async def looked_at(
    harness: WorkerHarness,
) -> tuple[dict[tuple[int, str], float], dict[int, ModuleState]]:
    """Kilograms by module and unit, and the states of modules, of one moment."""
    async with harness.ledger.snapshot() as conn:
        found = await stored_totals(conn, "local", YEAR, None, None)
        states = await read_states(conn, "local", YEAR, computable_types(None))
    totals = {(one.module, one.unit): float(one.total) for one in found if one.total}
    return totals, {state.module: state for state in states}
