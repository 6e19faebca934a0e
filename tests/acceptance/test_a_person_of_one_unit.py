"""A person whose token names one unit does all with their own files by the command line."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from carbonline.command.options import OTHERS_LEFT_OUT
from tests.acceptance.test_over_the_network import Site, site

__all__ = ["site"]
TRIPS = (
    "origin_iata,destination_iata,user_institutional_id,number_of_trips,cabin_class,kg_co2eq\n"
    "GVA,CDG,1,1,economy,125.5\n"
)
PLANES = ("--type", "plane", "--year", "2024")


class Person:
    """Types commands with a token of their own."""

    def __init__(self, site: Site, unit: str) -> None:
        certificate, key = site.authority.issue("bob")
        token = site.token_file("bob", role="gateway", tenants=["north"], units=[unit])
        self.environment = {
            **os.environ,
            "CARBONLINE_SCHEDULER_ADDRESS": site.scheduler,
            "CARBONLINE_LEDGER_ADDRESS": site.ledger,
            "CARBONLINE_TOKEN_FILE": str(token),
            "CARBONLINE_TLS_CA": str(site.authority.ca),
            "CARBONLINE_TLS_CERT": str(certificate),
            "CARBONLINE_TLS_KEY": str(key),
        }

    async def type(self, *arguments: str) -> tuple[int | None, str]:
        """The exit code, and all that is printed."""
        program = (sys.executable, "-m", "carbonline.command.main")
        done = await asyncio.create_subprocess_exec(
            *program,
            *arguments,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await done.communicate()
        return done.returncode, printed.decode()

    async def upload(self) -> Mapping[str, object]:
        """The upload that counts."""
        code, printed = await self.type("uploads", "--year", "2024", "--unit", "U1", "--json")
        assert code == 0, printed
        [one] = json.loads(printed)["rows"]
        assert isinstance(one, dict)
        return one


async def test_uploads_of_ones_own_unit_need_no_right_to_see_those_of_others(site: Site) -> None:
    (site.folder / "units.csv").write_text("unit_institutional_id,name\nU1,Physics\nU2,Biology\n")
    async with site.client("ann", role="gateway", tenants=["north"]) as ann:
        (await ann.load_units(site.folder / "units.csv", year=2024)).raise_for_status()
    bob = Person(site, "U1")
    first, second = site.folder / "first.csv", site.folder / "second.csv"
    await asyncio.to_thread(Path.write_text, first, TRIPS)
    await asyncio.to_thread(Path.write_text, second, TRIPS.replace("125.5", "99"))
    code, printed = await bob.type("submit", str(first), *PLANES, "--unit", "U1")
    assert code == 0, printed
    assert "totals --year 2024 --unit U1\n" in printed
    number = str((await bob.upload())["upload"])
    code, printed = await bob.type("submit", str(second), *PLANES, "--unit", "U1", "--yes")
    assert code == 0, printed
    assert "professional_travel 2024 of unit U1: 125.500 kg before, 99.000 kg now" in printed
    code, printed = await bob.type("restore", number, "--yes")
    assert code == 0, printed
    assert "of unit U1: 99.000 kg before, 125.500 kg now" in printed
    for whole in (
        ("totals", "--year", "2024"),
        ("totals", "--year", "2024", "--by", "unit_tree"),
        ("report", "--year", "2024"),
        ("uploads", "--year", "2024"),
        ("uncomputed", "--year", "2024"),
    ):
        code, printed = await bob.type(*whole)
        assert (code, "PERMISSION_DENIED" in printed) == (2, True), printed
        code, printed = await bob.type(*whole, "--own")
        assert code == 0, printed
        assert ("U2" in printed, printed.count(OTHERS_LEFT_OUT)) == (False, 1), printed
    code, printed = await bob.type("withdraw", str((await bob.upload())["upload"]), "--yes")
    assert code == 0, printed
    assert "of unit U1: 125.500 kg before, 0.000 kg now" in printed
    for of_others in ("--unit", "U2"), ():
        code, printed = await bob.type("submit", str(first), *PLANES, *of_others)
        assert (code, "PERMISSION_DENIED" in printed) == (2, True), printed
