"""What workers write: one line of JSON per event, or coloured text on a terminal, and never an address.

All libraries log through here. Our own code logs positions, counts and rules; the redaction is for what
others put into their texts, above all addresses and records inside error messages.
"""

import logging
import sys
from collections.abc import Iterable
from typing import Final, TextIO

import structlog

from streams.redacted_logs import CarefulStreamHandler, redact_uncaught
from streams.redaction import Redaction

_NOISY: Final = ("aiokafka", "faust", "mode", "kafka")


def set_up(*, level: int = logging.INFO, stream: TextIO | None = None, keep: Iterable[str] = ()) -> None:
    """Send all logging of the process, structlog's too, to `stream` (default: standard error).

    Args:
        level: Lowest level that is written.
        stream: Where to.
        keep: Hosts that stay readable, as those of the own brokers.
    """
    target = sys.stderr if stream is None else stream
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if target.isatty()
        else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, Redaction(keep), last],
    )
    handler = CarefulStreamHandler(target)
    handler.setFormatter(formatter)
    handler.addFilter(_is_telling)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    redact_uncaught()


def _is_telling(record: logging.LogRecord) -> bool:
    """Leave out the service tree's starting and stopping, which Faust's base class logs under our names."""
    return record.levelno > logging.INFO or not str(record.msg).startswith("[^")
