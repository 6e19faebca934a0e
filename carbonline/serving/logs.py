"""Log lines: one JSON object per line, on stderr. Nothing is written to stdout.

Logging never raises: a line that cannot be made or written is counted, and the work goes on.
"""

import json
import logging
import sys
from collections.abc import Sequence
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from carbonline.exposed_file import ExposedFile
from carbonline.serving.log_stream import LogStream, stderr_stream
from carbonline.serving.printed import PrintedText

# Without the values of local variables, among which are passwords and tokens.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)
_STAMPS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_RENDER = structlog.processors.JSONRenderer(default=str)


def _json_of(log: WrappedLogger, method: str, line: EventDict) -> str:
    """The line as JSON; of one that cannot be rendered, what it is called and why."""
    event, level = str(line.get("event", "")), str(line.get("level", ""))
    try:
        return str(_RENDER(log, method, _TRACEBACKS(log, method, line)))
    except Exception as error:  # noqa: BLE001  a value's own __str__ may raise anything
        return json.dumps({"event": event, "level": level, "not_rendered": type(error).__name__})


_JSON: tuple[Processor, ...] = (_json_of,)


def open_log(level: str, **names: object) -> FilteringBoundLogger:
    """A logger whose lines carry the fields `names`. Lines below `level` cost next to nothing."""
    return _log_to(sys.stderr, level, **names)


def _log_to(stream: TextIO, level: str, **names: object) -> FilteringBoundLogger:
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[*_STAMPS, *_JSON],
        wrapper_class=structlog.make_filtering_bound_logger(_number_of(level)),
        cache_logger_on_first_use=True,
    )
    bound: FilteringBoundLogger = log.bind(**names)
    return bound


def open_process_log(
    level: str, stream: LogStream | None = None, **names: object
) -> FilteringBoundLogger:
    """`open_log` for a whole process: warnings and logs of libraries, and what they print to the
    standard error, become such lines too.

    For composition roots only, since it replaces what the process does with Python's logging and
    `sys.stderr`.
    `stream` is the standard error if it is left out.
    """
    stream = stream or stderr_stream()

    def named(_log: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        return {**names, **line}

    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[named, structlog.stdlib.add_logger_name, *_STAMPS],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_JSON],
        )
    )
    # Below a warning, libraries log about themselves only.
    least = max(logging.WARNING, _number_of(level))
    logging.basicConfig(handlers=[handler], level=least, force=True)
    logging.captureWarnings(capture=True)
    # It has what a logger needs of a text stream.
    log = _log_to(cast(TextIO, stream), level, **names)
    sys.stderr = cast(TextIO, PrintedText(lambda text: log.warning("printed", text=text)))
    return log


def log_exposed_files(log: FilteringBoundLogger, exposed: Sequence[ExposedFile]) -> None:
    """A line for each file with a secret that others of the machine may read."""
    for one in exposed:
        log.warning(
            "secret_file_exposed", variable=one.named_by, file=str(one.file), to_do=one.to_do
        )


def _number_of(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
