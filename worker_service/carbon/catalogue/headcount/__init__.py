"""People: food, waste, commuting, homeworking."""

from worker_service.carbon.catalogue.headcount.homeworking import HOMEWORKING
from worker_service.carbon.catalogue.headcount.member import MEMBER
from worker_service.carbon.catalogue.headcount.student import STUDENT
from worker_service.carbon.declarations import Module

HEADCOUNT = Module(id=1, name="headcount", types=(MEMBER, STUDENT, HOMEWORKING))
