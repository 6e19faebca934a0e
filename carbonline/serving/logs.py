"""Log lines: one JSON object per line, on stderr. Nothing is written to stdout."""

import logging
import sys

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

# Without the values of local variables, among which are passwords and tokens.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)
_STAMPS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_JSON: tuple[Processor, ...] = (_TRACEBACKS, structlog.processors.JSONRenderer(default=str))


def open_log(level: str, **names: object) -> FilteringBoundLogger:
    """A logger whose lines carry the fields `names`. Lines below `level` cost next to nothing."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[*_STAMPS, *_JSON],
        wrapper_class=structlog.make_filtering_bound_logger(_number_of(level)),
        cache_logger_on_first_use=True,
    )
    bound: FilteringBoundLogger = log.bind(**names)
    return bound


def open_process_log(level: str, **names: object) -> FilteringBoundLogger:
    """`open_log` for a whole process: warnings and logs of libraries become such lines too.

    For composition roots only, since it replaces what the process does with Python's logging.
    """

    def named(_log: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        return {**names, **line}

    handler = logging.StreamHandler(sys.stderr)
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
    return open_log(level, **names)


def _number_of(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
