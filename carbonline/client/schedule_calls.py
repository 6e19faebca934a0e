"""The RPCs about schedules: jobs that the scheduler submits by itself."""

from carbonline.client.calls import Calls
from carbonline.v1 import schedules_pb2


class ScheduleCalls(Calls):
    """A part of ContractClient."""

    async def create_schedule(
        self, wanted: schedules_pb2.CreateScheduleRequest
    ) -> schedules_pb2.CreateScheduleResponse:
        """A schedule, new or from an earlier call of the same. Sets the tenant of `wanted`."""
        wanted.scope.tenant = self.tenant
        return await self._ask_scheduler(self._operations.CreateSchedule, wanted)

    async def get_schedule(self, name: str) -> schedules_pb2.GetScheduleResponse:
        """A schedule, its next ticks, and what became of the last one."""
        request = schedules_pb2.GetScheduleRequest(tenant=self.tenant, name=name)
        return await self._ask_scheduler(self._operations.GetSchedule, request)

    async def list_schedules(self) -> schedules_pb2.ListSchedulesResponse:
        """The schedules of the tenant, by name."""
        request = schedules_pb2.ListSchedulesRequest(tenant=self.tenant)
        return await self._ask_scheduler(self._operations.ListSchedules, request)

    async def pause_schedule(
        self, name: str, reason: str = ""
    ) -> schedules_pb2.PauseScheduleResponse:
        """Lets a schedule submit nothing, until it is resumed."""
        request = schedules_pb2.PauseScheduleRequest(tenant=self.tenant, name=name, reason=reason)
        return await self._ask_scheduler(self._operations.PauseSchedule, request)

    async def resume_schedule(self, name: str) -> schedules_pb2.ResumeScheduleResponse:
        """Lets a paused schedule go on with its next tick."""
        request = schedules_pb2.ResumeScheduleRequest(tenant=self.tenant, name=name)
        return await self._ask_scheduler(self._operations.ResumeSchedule, request)

    async def delete_schedule(self, name: str) -> None:
        """Deletes a schedule. Its pipelines stay."""
        request = schedules_pb2.DeleteScheduleRequest(tenant=self.tenant, name=name)
        await self._ask_scheduler(self._operations.DeleteSchedule, request)
