"""Structured logs on stderr: JSON lines, or readable ones on a terminal; always redacted.

The standard library's loggers (grpc, opentelemetry, warnings) are written in the same way.
"""

import logging
import sys

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from bankai.redaction import redact, redact_text
from bankai.settings import LogSettings

# Written by the processors below over whatever the caller gave, and free of customers' numbers.
_OURS = frozenset({"timestamp", "level", "service", "trace_id", "span_id"})


class _Handler(logging.Handler):
    """Writes the standard library's records where ours go: to what is stderr at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001  # as all handlers do: a log line must not end a call
            self.handleError(record)


# What grpc says with a traceback of what any client can do, and what is written in its place. Errors of handlers do not
# get there: the errors interceptor has answered and logged them.
_CLIENTS_DOING = {
    "Invalid encoding on": "a client's metadata is no text",
    "Unexpected [UnicodeDecodeError] raised by servicer method": "the name of a called method is no text",
    "Failed sending error status from server": "a client was gone before its call's error could be sent",
}


class _WithoutClientsBytes(logging.Filter):
    """Takes out of grpc's complaints what the client sent, and the traceback.

    Anybody who can connect could fill the log with either.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        for beginning, instead in _CLIENTS_DOING.items():
            if said.startswith(beginning):
                record.msg, record.args, record.exc_info = instead, (), None
                record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def configure(settings: LogSettings, service: str) -> None:
    """Sets up logging for the process.

    Args:
        settings: Level and format.
        service: Name of the process, in every line.
    """
    level = logging.getLevelNamesMapping()[settings.level.upper()]

    def add_service(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        _add_trace,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    render: list[Processor] = [redact_event, _renderer(settings)]
    structlog.configure(
        processors=[*common, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _remove_handler()
    handler = _Handler()
    handler.addFilter(_WithoutClientsBytes())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.root.addHandler(handler)
    logging.root.setLevel(max(level, logging.INFO))
    logging.captureWarnings(True)  # noqa: FBT003  # the standard library's signature


def reset() -> None:
    """Undoes `configure`, e.g. between tests."""
    structlog.reset_defaults()
    logging.captureWarnings(False)  # noqa: FBT003  # the standard library's signature
    logging.root.setLevel(logging.WARNING)
    _remove_handler()


def _remove_handler() -> None:
    for handler in logging.root.handlers[:]:
        if isinstance(handler, _Handler):
            logging.root.removeHandler(handler)


def redact_event(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Redacts a log event. Comes last before the renderer, after exceptions have become text."""
    return {redact_text(key): (value if key in _OURS else redact(value)) for key, value in event.items()}


def _add_trace(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    event.pop("trace_id", None)  # nobody else's: these two are not redacted
    event.pop("span_id", None)
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = trace.format_trace_id(span.trace_id)
        event["span_id"] = trace.format_span_id(span.span_id)
    return event


def _renderer(settings: LogSettings) -> Processor:
    if settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty()):
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    # Its rich tracebacks would show local variables, and after the redaction.
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
