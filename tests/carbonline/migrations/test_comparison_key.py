"""The database compares names in any language as workers compare keys, whatever its locale."""

import asyncpg
import pytest

from carbonline.migrations.comparison_key import UNICODE
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


def in_lower_case_of_ascii(text: str) -> str:
    return "".join(one.lower() if one.isascii() else one for one in text)


@on_both_versions
@pytest.mark.parametrize(("history", "schema"), [("scheduler", "scheduler"), ("ledger", "carbon")])
async def test_names_are_compared_as_keys_are(url: str, history: History, schema: str) -> None:
    await upgrade(url, history)
    conn = await asyncpg.connect(url)
    try:
        assert await conn.fetchval(OF_DATABASE) == "C"
        expected = comparison_keys(TEXTS)
        if await conn.fetchval(UNICODE) is None:
            # A server of before 17, without ICU, whose initdb found no locales of the system.
            assert conn.get_server_version().major < 17
            expected = [in_lower_case_of_ascii(text) for text in TEXTS]
        keys = f"SELECT array_agg({schema}.comparison_key(t) ORDER BY n)"
        texts = " FROM unnest(CAST($1 AS text[])) WITH ORDINALITY AS u (t, n)"
        assert await conn.fetchval(keys + texts, TEXTS) == expected
        assert await conn.fetchval(f"SELECT {schema}.comparison_key(NULL)") is None
    finally:
        await conn.close()
