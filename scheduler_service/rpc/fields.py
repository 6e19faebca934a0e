"""The fields that only the scheduler knows: UUIDs, job types and scopes."""

from collections.abc import Collection
from functools import lru_cache
from uuid import UUID

from carbonline.serving.field_checker import FieldChecker
from carbonline.tenants import is_tenant
from carbonline.v1 import types_pb2
from scheduler_service.jobs.catalogue import MODULE_OF_TYPE, READERS_OF_REFERENCE
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.rows import SCOPES_REMEMBERED_MAX
from scheduler_service.store.core.uuids import uuid_of

NO_ID = UUID(int=0)
VALUE_CHARACTERS_SHOWN_MAX = 64
UNIT_CHARACTERS_MAX = 128


class Fields(FieldChecker):
    """The checker of the scheduler's requests."""

    def uuid(self, field: str, value: str) -> UUID:
        """A UUID; that of zeros if it is something else."""
        try:
            return uuid_of(value)
        except ValueError:
            self.fail(field, "must be a UUID, such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
            return NO_ID

    def job_type(self, field: str, value: str, enabled: Collection[str]) -> str:
        """The name of an enabled job type; "noop" if it is not one."""
        if value not in enabled:
            shown = value[:VALUE_CHARACTERS_SHOWN_MAX]
            self.fail(field, f"must be one of {', '.join(enabled)}, not {shown!r}")
            return "noop"
        return value

    def scope(self, field: str, scope: types_pb2.Scope, tenant: str, job_type: str) -> Scope:
        """The scope of a job of this type, with all parts that it needs and no other.

        `tenant` is the caller's, checked already; the scope's own is not looked at.
        """
        good = _good_scope(scope.SerializeToString(), tenant, job_type)
        return good or self._checked_scope(field, scope, tenant, job_type)

    def _checked_scope(
        self, field: str, scope: types_pb2.Scope, tenant: str, job_type: str
    ) -> Scope:
        if not is_tenant(tenant):
            self.fail(f"{field}.tenant", "must be 1..64 characters of a-z, 0-9, - and _")
        given = {
            "module": self.known(f"{field}.module", scope.module, types_pb2.Module),
            "data_entry_type": self.known(
                f"{field}.data_entry_type", scope.data_entry_type, types_pb2.DataEntryType
            ),
            "year": scope.year or None,
            "unit": self.text(f"{field}.unit", scope.unit, UNIT_CHARACTERS_MAX) or None,
            "reference_kind": scope.reference_kind or None,
        }
        row = JOB_TYPES[job_type]
        for part, value in given.items():
            if value is None and part in row.needs:
                self.fail(f"{field}.{part}", f"is required: {job_type} needs it")
            if value is not None and part not in row.needs | row.takes:
                self.fail(f"{field}.{part}", f"must be left out: {job_type} does not take it")
        self.optional_year(f"{field}.year", scope.year)
        if scope.reference_kind and scope.reference_kind not in READERS_OF_REFERENCE:
            kinds = ", ".join(READERS_OF_REFERENCE)
            self.fail(f"{field}.reference_kind", f"must be one of {kinds}")
        self.belongs(f"{field}.data_entry_type", scope.module, scope.data_entry_type)
        return Scope(tenant, **given)  # type: ignore[arg-type]

    def belongs(self, field: str, module: int, data_entry_type: int) -> None:
        """Note a data-entry type of another module. Zero for either fits everything."""
        owner = MODULE_OF_TYPE.get(data_entry_type)
        if module and owner and owner != module:
            name = types_pb2.Module.Name(owner)  # type: ignore[arg-type]
            self.fail(field, f"belongs to {name}")


@lru_cache(maxsize=SCOPES_REMEMBERED_MAX)
def _good_scope(scope_bytes: bytes, tenant: str, job_type: str) -> Scope | None:
    """None if anything is wrong. Requests are many and their scopes few, so results are kept."""
    fields = Fields()
    scope = fields._checked_scope("", types_pb2.Scope.FromString(scope_bytes), tenant, job_type)  # noqa: SLF001
    return None if fields.has_violations else scope
