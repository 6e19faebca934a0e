"""What PostgreSQL alone does on the same machine: pgbench on the stack's own tables."""

import asyncio
import os
import re
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.bench_stack import Bench
from carbonline.local.postgres.binaries import find_binaries

BATCH = 100
SQL = Path(__file__).parent / "sql"
TRANSACTIONS_PER_SECOND = re.compile(r"tps = ([0-9.]+)")


async def rows_per_second(bench: Bench, script: str, rows: int, batch: int = BATCH) -> float:
    """Of a script of sql/ that serves `batch` rows each time, on one connection."""
    binary = find_binaries(os.environ).folder / "pgbench"
    parts = urlsplit(bench.stack.addresses.database_url)
    # asyncpg's way to name a socket folder is libpq's, too.
    environment = {
        **os.environ,
        "PGHOST": parse_qs(parts.query)["host"][0],
        "PGUSER": parts.username or "postgres",
        "PGDATABASE": parts.path.lstrip("/"),
    }
    command = [str(binary), "--no-vacuum", "--protocol=prepared", f"--file={SQL / script}"]
    counts = ["--client=1", f"--transactions={rows // batch}"]
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *command, *counts, env=environment, stdout=output, stderr=output
        )
        code = await process.wait()
        output.seek(0)
        printed = output.read().decode()
    found = TRANSACTIONS_PER_SECOND.search(printed)
    if code != 0 or found is None:
        raise RuntimeError(f"pgbench ended with {code}: {printed}")
    return batch * float(found[1])
