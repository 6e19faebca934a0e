"""What the command's exit code says; documented in its --help."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from carbonline.v1 import types_pb2


class ExitCode(IntEnum):
    """SUCCESS with warnings too; REFUSED is wrong usage, bad input and refused requests."""

    SUCCESS = 0
    DEFECT = 1
    REFUSED = 2
    PARTIAL = 3
    FAILED = 4
    CANCELLED = 5
    UNREACHABLE = 6
    INCOMPLETE = 7
    INTERRUPTED = 130
    READER_LEFT = 141


EXIT_CODES_HELP = """\b
Exit codes:
  0  success, with warnings too
  2  wrong usage, bad input, or a request that was refused
  3  PARTIAL: the data landed, a later step failed
  4  FAILED: nothing of the input was committed
  5  CANCELLED
  6  no answer: nothing runs there, or it is too busy
  7  totals --strict: none, stale, or some entries have no kilograms
  130  interrupted; a submitted pipeline goes on
  141  whoever read the output has left
"""

OF_STATUS: Mapping[int, ExitCode] = MappingProxyType(
    {
        types_pb2.PIPELINE_STATUS_SUCCESS: ExitCode.SUCCESS,
        types_pb2.PIPELINE_STATUS_PARTIAL: ExitCode.PARTIAL,
        types_pb2.PIPELINE_STATUS_FAILED: ExitCode.FAILED,
        types_pb2.PIPELINE_STATUS_CANCELLED: ExitCode.CANCELLED,
    }
)
