"""What libraries log goes into a file where a command's own output is for people or machines."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from streams.redacted_logs import CarefulFileHandler, RedactingFormatter


@contextlib.contextmanager
def logging_to(file: Path) -> Iterator[None]:
    """Keep what libraries log out of the screen; addresses and secrets stay out of the file too."""
    root = logging.getLogger()
    handler = CarefulFileHandler(file)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
