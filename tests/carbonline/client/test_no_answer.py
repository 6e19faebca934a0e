"""A server that does not answer is told of in sentences: which, where, and what to do."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import click
import grpc
import grpc.aio
import pytest
from click.testing import CliRunner

from carbonline.client import calls
from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError, Unreachable
from carbonline.client.no_answer import Server, no_answer
from carbonline.command.exit_codes import ExitCode
from carbonline.command.main import main
from tests.carbonline.command.test_typing import ALL

REPOSITORY = Path(__file__).parents[3]
AT = "unix:/run/ledger"
LEDGER = Server("ledger", AT)
# What the commands need, by the names of their parameters; FILE is the path of a file.
VALUES = {
    "pipeline": "7",
    "job": "7",
    "worker": "00000000-0000-4000-8000-00000000000a",
    "upload": "7",
    "year": "2024",
    "data_entry_type": "plane",
    "module": "professional_travel",
    "job_type": "csv_ingest",
    "units": "0828",
    "codes": "GVA",
    "file": "FILE",
    "folder": str(REPOSITORY / "examples" / "university"),
    "kind": "rates",
    "keys": "EUR",
    "name": "agency",
    "decimal": "comma",
    "output": "-",
    "cron": "@hourly",
    "provider": "unit-directory",
    "old": "uk-gov-2023",
    "new": "uk-gov-2024",
}
OF_A_FILE = ("file", "data_entry_type")
# Subcommands, sets of the shelf and modules do without, so that click does not demand them.
OF_FACTORS = ("data_entry_type", "year")
# A mapping says something, and of which files.
OF_MAPPINGS = ("decimal", "data_entry_type")
# A schedule names a service or a job type.
OF_SCHEDULES = ("provider",)
# `console` asks the gateway of a local stack.
CALLING = {
    words: one
    for words, one in ALL.items()
    if "scheduler" in {p.name for p in one.params} and words != ("console",)
}
WORDS_OF_GRPC = ("DEADLINE_EXCEEDED", "UNAVAILABLE", "Deadline", "failed to connect", "SETTINGS")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            f"last error: UNKNOWN: {AT}: connect failed (No such file or directory)",
            f"Nothing listens at {AT}, the address of the ledger. Start it, or correct",
        ),
        (
            "UNKNOWN: Failed to connect to remote host: Connection refused",
            f"Nothing listens at {AT}",
        ),
        (
            "connection attempt timed out before receiving SETTINGS frame",
            f"The ledger at {AT} takes connections and does not answer. It hangs",
        ),
        ("keepalive watchdog timeout", "takes connections and does not answer"),
        ("DNS resolution failed for nowhere:1", f"No host has the name in {AT}"),
        ("Trying to connect an http1.x server", f"What listens at {AT} is not the ledger."),
        ("Socket closed", f"The connection to the ledger at {AT} was lost"),
        ("", "was lost: it has ended or restarts. Try again."),
        (
            "Tls handshake failed (TSI_PROTOCOL_FAILURE): CERTIFICATE_VERIFY_FAILED",
            f"The ledger at {AT} has a certificate that no authority of your CA file",
        ),
        ("UNAUTHENTICATED: Hostname Verification Check failed.", "a certificate for another name"),
        ("Tls handshake failed: WRONG_VERSION_NUMBER", "speaks no TLS"),
    ],
)
def test_grpcs_words_become_a_sentence(words: str, sentence: str) -> None:
    assert sentence in no_answer(LEDGER, words)


def test_who_is_cut_off_at_a_port_hears_that_it_may_want_tls() -> None:
    assert "--tls-ca" in no_answer(Server("ledger", "host:7401"), "Socket closed")
    assert "--tls-ca" not in no_answer(Server("ledger", "unix:/run/l"), "Socket closed")


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """The address of a server that is stopped: connections come about and get no answer."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen(100)
        yield f"unix:{tmp_path}/s"


@pytest.mark.parametrize("words", CALLING, ids=" ".join)
def test_each_command_says_that_the_server_does_not_answer(
    silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.2)
    for watch in (ContractClient.watch, ContractClient.watch_pipelines):
        monkeypatch.setitem(watch.__kwdefaults__ or {}, "patience_seconds", 0.0)
    (tmp_path / "file.csv").write_text("a,b\n1,2\n")
    given = CALLING[words].params
    # What may be left out for a service, which is then named instead.
    instead: tuple[str, ...] = OF_A_FILE if any("--from" in one.opts for one in given) else ()
    of_type = {("factors",), ("load", "factors"), ("recalculate",)}
    instead = OF_FACTORS if words in of_type else instead
    instead = OF_MAPPINGS if words[0] == "mappings" and len(words) > 1 else instead
    instead = OF_SCHEDULES if words == ("schedule", "add") else instead
    needed = [one for one in given if one.required or one.name in instead]
    typed = [word.replace("FILE", str(tmp_path / "file.csv")) for word in map(_typed, needed)]
    ended = CliRunner().invoke(main, [*words, *" ".join(typed).split(), "--scheduler", silent])
    said = " ".join(ended.output.split())
    assert ended.exit_code == ExitCode.UNREACHABLE, said
    assert "does not answer. It hangs" in said or "has not answered for 0.2 s. It hangs" in said
    assert silent in said
    assert [word for word in WORDS_OF_GRPC if word in said] == []


def _typed(param: click.Parameter) -> str:
    value = VALUES[str(param.name)]
    return value if isinstance(param, click.Argument) else f"{param.opts[0]} {value}"


Behaviour: TypeAlias = Callable[[bytes, object], Awaitable[bytes]]


class Everything(grpc.GenericRpcHandler):
    """Answers every unary call in one way."""

    def __init__(self, behave: Behaviour) -> None:
        self._handler: Any = grpc.unary_unary_rpc_method_handler(behave)

    def service(self, handler_call_details: object) -> Any:
        return self._handler


@asynccontextmanager
async def served(folder: Path, behave: Behaviour) -> AsyncIterator[ContractClient]:
    """A client of a server that answers every unary call in one way."""
    server = grpc.aio.server(handlers=[Everything(behave)])
    server.add_insecure_port(f"unix:{folder}/s")
    await server.start()
    try:
        async with ContractClient(f"unix:{folder}/s", f"unix:{folder}/s") as client:
            yield client
    finally:
        await server.stop(0)


async def test_a_call_in_flight_ends_with_the_sentence_at_its_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.2)

    async def never(_request: bytes, _context: object) -> bytes:
        await asyncio.Event().wait()
        return b""

    async with served(tmp_path, never) as client:
        with pytest.raises(Unreachable, match=r"^The ledger at unix:.* has not answered for 0.2 s"):
            await client.list_modules()
        with pytest.raises(Unreachable, match=r"^The scheduler at unix:"):
            await client.list_workers()


async def test_a_server_that_fails_is_named_with_its_log(tmp_path: Path) -> None:
    async def fails(_request: bytes, _context: object) -> bytes:
        raise ZeroDivisionError

    async with served(tmp_path, fails) as client:
        with pytest.raises(ServerError, match=r"^The ledger at .* failed at this call. Its log"):
            await client.list_modules()
