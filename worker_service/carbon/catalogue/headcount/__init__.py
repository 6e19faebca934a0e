"""People: food, waste, commuting, homeworking."""

from worker_service.carbon.declarations import Module, UndeclaredType

HEADCOUNT = Module(
    id=1,
    name="headcount",
    types=(
        UndeclaredType(1, "member"),
        UndeclaredType(2, "student"),
        UndeclaredType(3, "homeworking"),
    ),
)
