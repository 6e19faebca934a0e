"""One stack for all cases; each case has a year of its own, so that none sees another's data."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.client.view import PipelineView
from carbonline.local.stack_file import find_stack
from carbonline.v1 import ledger_pb2, types_pb2
from tests.initialised_folder import initialise
from tests.warm_program import COMMAND, run_command

FILES = Path(__file__).with_name("files")
SECONDS_MAX = 120
TRAVEL, PLANE = types_pb2.MODULE_PROFESSIONAL_TRAVEL, types_pb2.DATA_ENTRY_TYPE_PLANE

UNIT_IDS = ("0828", "0829", "0012", "12", "1E5", "NA", "TRUE", "null", "Zürich-1", "ÉCOLE")
UNITS = "unit_institutional_id,name\n" + "".join(f"{unit},Unit {unit}\n" for unit in UNIT_IDS)
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "all,economy,0.2,1,0,\nall,business,0.4,1,0,\nall,first,0.8,1,0,\n"
)
# A year for each case, and some to spare.
YEARS = range(1991, 2035)


@dataclass(frozen=True)
class Typed:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def output(self) -> str:
        """All of it, on one line."""
        return " ".join((self.out + self.err).split())


class Terminal:
    """A person's terminal beside the stack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if "CARBONLINE" not in name},
            "CARBONLINE_DATA_FOLDER": str(folder / "data"),
        }

    def type(self, *words: str | bytes | Path) -> Typed:
        """Runs `carbonline WORDS` to its end."""
        given = [word if isinstance(word, bytes) else str(word) for word in words]
        ended = run_command(given, self.environment, self.folder, SECONDS_MAX)
        return Typed(
            ended.returncode,
            ended.stdout.decode(errors="backslashreplace"),
            ended.stderr.decode(errors="backslashreplace"),
        )

    def submit(self, name: str, year: int, *more: str) -> Typed:
        """Submits one of the files as flights."""
        words = ("--module", "professional_travel", "--type", "plane", "--year", str(year))
        return self.type("submit", FILES / name, *words, *more)

    def load_factors(self, name: str, year: int) -> Typed:
        """Loads one of the files as factors of flights."""
        return self.type("load", "factors", FILES / name, "--type", "plane", "--year", str(year))

    def client(self) -> ContractClient:
        """A client of the stack."""
        stack = find_stack(self.folder / "data")
        assert stack is not None
        return ContractClient(
            stack.scheduler_address,
            stack.ledger_address,
            tenant=stack.tenant,
            token_file=stack.token_file,
        )

    def totals(self, year: int) -> ledger_pb2.GetTotalsResponse:
        """A year's totals."""

        async def ask() -> ledger_pb2.GetTotalsResponse:
            async with self.client() as client:
                return await client.get_totals(year)

        return asyncio.run(ask())

    def kg(self, year: int) -> float:
        """The institution's kilograms of a year."""
        return self.totals(year).institution.total_kg

    def rejected(self, typed: Typed) -> str:
        """The file of rejected rows of a submission."""
        return self._listed("rejected", typed)

    def warnings(self, typed: Typed) -> str:
        """The list of warned rows of a submission."""
        return self._listed("warnings", typed)

    def _listed(self, command: str, typed: Typed) -> str:
        number = typed.out.split("Pipeline ")[1].split()[0]
        listed = self.type(command, number, "-o", "-")
        assert listed.code == 0, listed
        return listed.out


@contextmanager
def terminal_beside_a_stack(
    folder: Path, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Terminal]:
    """A terminal beside a stack that runs on its folder with more settings, and ends in order."""
    terminal = Terminal(folder)
    terminal.environment |= settings
    initialise(folder / "data")
    up = subprocess.Popen(
        [*COMMAND, "up", "--workers", "1"],
        stdout=subprocess.PIPE,
        text=True,
        env=terminal.environment,
        cwd=terminal.folder,
    )
    assert up.stdout is not None
    try:
        while "Press Ctrl-C to stop" not in (line := up.stdout.readline()):
            assert line, "the stack did not start"
        yield terminal
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(SECONDS_MAX) == 0
        up.stdout.close()


@pytest.fixture(scope="session")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A running stack with units and factors in each of YEARS, and the package's airports."""
    with terminal_beside_a_stack(tmp_path_factory.mktemp("cases")) as one:
        assert one.type("load", "locations").code == 0
        asyncio.run(_prepare(one))
        yield one


async def _prepare(terminal: Terminal) -> None:
    async with terminal.client() as client:
        await _load(client, "unit_sync", UNITS, [client.scope(year=year) for year in YEARS])
        scopes = [client.scope(module=TRAVEL, data_entry_type=PLANE, year=year) for year in YEARS]
        await _load(client, "factor_ingest", FACTORS, scopes)


async def _load(
    client: ContractClient, job_type: str, text: str, scopes: Sequence[types_pb2.Scope]
) -> None:
    uploaded = await client.upload_blob(_bytes(text), scopes[0], "prepared.csv")
    pipelines = [
        (await client.submit(job_type, scope, {"blob": uploaded.blob})).pipeline_id
        for scope in scopes
    ]
    for pipeline_id in pipelines:
        view = PipelineView()
        async for event in client.watch(pipeline_id):
            view.apply(event)
        assert view.pipeline is not None
        assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, view.in_order()


async def _bytes(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
