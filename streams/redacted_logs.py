"""Handlers of Python's logging through which no address and no secret leaves, not even by a broken message.

Everything the standard library prints by itself goes the same way: errors that nobody caught, in any thread,
warnings, and messages whose arguments do not fit.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TextIO

from streams.redaction import redact


class RedactingFormatter(logging.Formatter):
    """Redacts the finished text of a line: message, arguments, traceback with all causes.

    Args:
        layout: As that of `logging.Formatter`.
        keep: Hosts that stay readable.
    """

    def __init__(self, layout: str | None = None, keep: Iterable[str] = ()) -> None:
        super().__init__(layout)
        self._keep = frozenset(keep)

    def format(self, record: logging.LogRecord) -> str:
        """Answer the line."""
        return redact(super().format(record), self._keep)


class _Careful(logging.Handler):
    """Tells of a line that could not be written, where Python would print its values."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - a name of logging
        """Write what is wrong and where, and nothing of what was to be written."""
        kind = sys.exc_info()[0]
        name = "error" if kind is None else kind.__name__
        try:
            sys.stderr.write(f"a line of {redact(record.name)} could not be written: {name}\n")
        except (OSError, ValueError):
            return


class CarefulStreamHandler(_Careful, logging.StreamHandler[TextIO]):
    """Writes lines to a stream."""


class CarefulFileHandler(_Careful, logging.FileHandler):
    """Writes lines to a file that only its owner may read.

    Args:
        file: Made if it is not there.
    """

    def __init__(self, file: Path) -> None:
        file.touch(mode=0o600, exist_ok=True)
        super().__init__(file, encoding="utf-8")


def redact_uncaught() -> None:
    """Have errors that nobody caught printed redacted, and warnings logged."""
    sys.excepthook = _print_uncaught
    threading.excepthook = _print_of_thread
    sys.unraisablehook = _print_unraisable
    logging.captureWarnings(capture=True)


def text_of(error: BaseException) -> str:
    """Answer an error with its traceback and causes, redacted; values of variables are never part of it."""
    return redact("".join(traceback.format_exception(error)))


def _print_uncaught(
    _kind: type[BaseException], error: BaseException, _traceback: TracebackType | None
) -> None:
    sys.stderr.write(text_of(error))


def _print_of_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None:
        sys.stderr.write(text_of(found.exc_value))


def _print_unraisable(found: "sys.UnraisableHookArgs") -> None:
    if found.exc_value is not None:
        sys.stderr.write(text_of(found.exc_value))
