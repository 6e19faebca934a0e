"""Stages many children of one pipeline through Claim, Chain and Finish, for workers to run."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.bench_stack import Bench
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2

CHILDREN_PER_PARENT = 10_000
CHILDREN_PER_CHAIN = 1_000


@dataclass
class Planter:
    """A worker of its own that only chains."""

    bench: Bench
    worker_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    async def plant(self, children: int) -> int:
        """A pipeline with that many claimable jobs (a multiple of 1,000); its number."""
        submitted = await self.bench.submit_noop()
        parents = [
            min(CHILDREN_PER_PARENT, children - start)
            for start in range(0, children, CHILDREN_PER_PARENT)
        ]
        (root,) = await self.claim(1)
        await self.chain(root, len(parents), "parent")
        await self.finish([root])
        claimed = await self.claim(len(parents))
        for job, count in zip(claimed, parents, strict=True):
            for start in range(0, count, CHILDREN_PER_CHAIN):
                await self.chain(job, min(CHILDREN_PER_CHAIN, count - start), f"child-{start}")
        for job in claimed:
            await self.finish([job])
        return submitted.pipeline_id

    async def plant_one(self, children: int) -> Sequence[pb.ClaimedJob]:
        """A pipeline of a root and so many children, claimed by this planter."""
        await self.bench.submit_noop()
        (root,) = await self.claim(1)
        await self.chain(root, children, "child")
        await self.finish([root])
        return await self.claim(children)

    async def claim(self, count: int, job_type: str = "noop") -> Sequence[pb.ClaimedJob]:
        """Exactly so many jobs of a type."""
        request = pb.ClaimRequest(
            worker_id=self.worker_id,
            request_id=str(uuid.uuid4()),
            job_types=[job_type],
            max_jobs=count,
            build_id="planter",
        )
        answer = await self.bench.scheduler.Claim(request, timeout=15)
        assert len(answer.jobs) == count, "somebody else works here"
        return answer.jobs

    async def chain(self, job: pb.ClaimedJob, count: int, name: str) -> None:
        """Stage children that do nothing."""
        request = pb.ChainRequest(
            worker_id=self.worker_id, job_id=job.job.job_id, claim_token=job.claim_token
        )
        for number in range(count):
            request.children.add(child_key=f"{name}-{number}", job_type="noop")
        await self.bench.scheduler.Chain(request, timeout=30)

    async def finish(self, jobs: Sequence[pb.ClaimedJob]) -> None:
        """End them well, one after the other."""
        for job in jobs:
            answer = await self.bench.scheduler.Finish(self.success_of(job), timeout=30)
            assert answer.finished

    def success_of(self, job: pb.ClaimedJob) -> pb.FinishRequest:
        """A Finish of a job of its own, with nothing to say."""
        return pb.FinishRequest(
            worker_id=self.worker_id,
            job_id=job.job.job_id,
            claim_token=job.claim_token,
            result=types_pb2.JOB_RESULT_SUCCESS,
        )
