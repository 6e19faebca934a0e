"""The exit codes of the command, which `carbonline --help` documents."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from carbonline.v1 import types_pb2


class ExitCode(IntEnum):
    """How a command ended.

    SUCCESS includes success with warnings. REFUSED means wrong usage, bad input or a refused
    request.
    """

    SUCCESS = 0
    DEFECT = 1
    REFUSED = 2
    PARTIAL = 3
    FAILED = 4
    CANCELLED = 5
    UNREACHABLE = 6
    INCOMPLETE = 7
    UNSOUND = 8
    DECLINED = 9
    FLAWED = 10
    INTERRUPTED = 130
    READER_LEFT = 141


EXIT_CODES: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.SUCCESS: "success, also with warnings",
        ExitCode.DEFECT: "a bug in the command itself",
        ExitCode.REFUSED: "wrong usage, bad input, or a refused request",
        ExitCode.PARTIAL: "PARTIAL: the data was stored, but a later step failed",
        ExitCode.FAILED: "FAILED: nothing was stored",
        ExitCode.CANCELLED: "CANCELLED",
        ExitCode.UNREACHABLE: "no answer: no server runs there, or it is too busy",
        ExitCode.INCOMPLETE: "totals --strict: none, stale, or entries without kilograms",
        ExitCode.UNSOUND: "verify: something breaks an invariant; doctor: something is wrong",
        ExitCode.DECLINED: "you answered no to a question; nothing was changed",
        ExitCode.FLAWED: "--check: rows would not count or have no kilograms, or consent is needed",
        ExitCode.INTERRUPTED: "interrupted; a submitted pipeline continues",
        ExitCode.READER_LEFT: "the reader of the output has gone",
    }
)

OF_STATUS: Mapping[int, ExitCode] = MappingProxyType(
    {
        types_pb2.PIPELINE_STATUS_SUCCESS: ExitCode.SUCCESS,
        types_pb2.PIPELINE_STATUS_PARTIAL: ExitCode.PARTIAL,
        types_pb2.PIPELINE_STATUS_FAILED: ExitCode.FAILED,
        types_pb2.PIPELINE_STATUS_CANCELLED: ExitCode.CANCELLED,
    }
)
