"""Letting Python write warnings and errors for which a program has set up no logging.

Python writes them to stderr by itself, but only for loggers without any handler. mode gives one that writes
nothing to every module that defines a service, `streams.worker` among them: a worker without logging of its
own would end without a word.
"""

from __future__ import annotations

import logging
from typing import Final

from streams.redacted_logs import RedactingFormatter

_FAMILIES: Final = ("streams", "faust", "mode", "aiokafka")


def let_last_resort_write() -> None:
    """Take off the handlers that write nothing; whatever handlers a program adds, it keeps.

    What Python writes then is redacted.
    """
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(RedactingFormatter())
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in _FAMILIES and isinstance(logger, logging.Logger):
            for handler in [h for h in logger.handlers if isinstance(h, logging.NullHandler)]:
                logger.removeHandler(handler)
