"""What workers write: one line of JSON per event, or coloured text on a terminal, and never an address.

All libraries log through here. Our own code logs positions, counts and rules; the filter below is for what
others put into their texts, above all addresses inside error messages.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

_ADDRESS: Final = re.compile(r"\b(?:https?|ftp|hxxps?)[:%][^\s'\"<>]+", re.IGNORECASE)
_HIDDEN: Final = "[address]"
_NOISY: Final = ("aiokafka", "faust", "mode", "kafka")


def set_up(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send all logging of the process to `stream` (default: standard error)."""
    target = sys.stderr if stream is None else stream
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_addresses,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if target.isatty() else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(formatter)
    handler.addFilter(_is_telling)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _is_telling(record: logging.LogRecord) -> bool:
    """Leave out the service tree's starting and stopping, which Faust's base class logs under our names."""
    return record.levelno > logging.INFO or not str(record.msg).startswith("[^")


def hide_addresses(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace every address in a log event; a processor of structlog."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _ADDRESS.sub(_HIDDEN, value)
    return event
