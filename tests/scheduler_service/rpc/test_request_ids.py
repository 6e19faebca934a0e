"""What a person does by the product's own clients has a request id on the audit trail."""

import json
from pathlib import Path

from carbonline.client.contract_client import ContractClient
from scheduler_service.settings import Settings
from tests.carbonline.serving.certificates import Authority
from tests.scheduler_service.rpc.test_tls import serving


async def test_each_changing_call_has_a_request_id(settings: Settings, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with serving(settings, tmp_path, authority.server()) as site:
        address = f"localhost:{site.port}"
        async with ContractClient(
            address, address, token_file=site.token_file, tls=authority.client()
        ) as client:
            await client.pause_job_type("csv_ingest", reason="to see")
        lines = map(json.loads, site.logged.getvalue().splitlines())
        (line,) = (one for one in lines if one["event"] == "call_audited")
        assert line["request_id"]
