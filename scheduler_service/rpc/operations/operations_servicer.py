"""OperationsService, put together from its nouns."""

from collections.abc import Collection

from scheduler_service.rpc.gathered_calls import GatheredCalls
from scheduler_service.rpc.operations.blobs import Blobs
from scheduler_service.rpc.operations.callers import Callers
from scheduler_service.rpc.operations.history import History
from scheduler_service.rpc.operations.job_types import KnownJobTypes
from scheduler_service.rpc.operations.jobs import Jobs
from scheduler_service.rpc.operations.pauses import PausedJobTypes
from scheduler_service.rpc.operations.periods import Periods
from scheduler_service.rpc.operations.pipelines import Pipelines
from scheduler_service.rpc.operations.queues import Queues
from scheduler_service.rpc.operations.recovery import Recovery
from scheduler_service.rpc.operations.schedules import Schedules
from scheduler_service.rpc.operations.totals import Totals
from scheduler_service.rpc.operations.uploads import Uploads
from scheduler_service.rpc.operations.workers import Workers
from scheduler_service.rpc.operations.years import Years
from scheduler_service.store.store import Store


class OperationsServicer(
    Pipelines,
    Jobs,
    Recovery,
    Uploads,
    Years,
    Periods,
    Workers,
    KnownJobTypes,
    Callers,
    PausedJobTypes,
    Schedules,
    History,
    Queues,
    Totals,
    Blobs,
):
    """Every RPC of the service: check, call one store method, answer. See the proto."""

    def __init__(
        self,
        store: Store,
        gathered: GatheredCalls,
        *,
        build_id: str,
        job_types: Collection[str],
    ) -> None:
        """`build_id` is this scheduler's: workers of another build are told apart by it.
        `job_types` are the enabled ones.
        """
        self.store = store
        self.gathered = gathered
        self.build_id = build_id
        self.job_types = job_types
