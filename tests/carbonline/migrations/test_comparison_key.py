"""The database compares names in any language as workers compare keys, whatever its locale."""

import asyncpg
import pytest

from carbonline.migrations.run import History, upgrade
from tests.carbonline.migrations.conftest import on_both_versions
from worker_service.carbon.parse.values import comparison_keys

OF_DATABASE = "SELECT datctype FROM pg_database WHERE datname = current_database()"
TEXTS = [
    "Agency 2",
    "École Polytechnique FÉDÉRALE",
    "E\u0301COLE",
    "STRAßE",
    "ŁÓDŹ",
    "ΑΘΗΝΑ",
    "ЩЮЖ",
    "東京",
    "",
]


@on_both_versions
@pytest.mark.parametrize(("history", "schema"), [("scheduler", "scheduler"), ("ledger", "carbon")])
async def test_names_are_compared_as_keys_are(url: str, history: History, schema: str) -> None:
    await upgrade(url, history)
    conn = await asyncpg.connect(url)
    try:
        assert await conn.fetchval(OF_DATABASE) == "C"
        keys = f"SELECT array_agg({schema}.comparison_key(t) ORDER BY n)"
        texts = " FROM unnest(CAST($1 AS text[])) WITH ORDINALITY AS u (t, n)"
        assert await conn.fetchval(keys + texts, TEXTS) == comparison_keys(TEXTS)
        assert await conn.fetchval(f"SELECT {schema}.comparison_key(NULL)") is None
    finally:
        await conn.close()
