"""Stopping at once, without a commit: the answer to every error that nobody has handled.

A graceful stop would commit, and a commit after a failed send loses records. So the process ends
here and now; whatever was not committed is delivered to the next owner of its partition.

Exit codes of a worker:

====  ===========================================================================================
0     asked to stop (SIGTERM, SIGINT or the caller's event); everything acknowledged is committed
70    fail-stop: nothing was committed after the failure; restart the process
78    configuration: restarting does not help until a person has changed something
====  ===========================================================================================
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

EXIT_FAIL_STOP = 70
EXIT_CONFIGURATION = 78


class FailStop:
    """Ends the process with exit code 70; shared by everything that may have to.

    Args:
        exit_process: called with the exit code; tests replace it and then see ``poisoned``.
    """

    def __init__(self, exit_process: Callable[[int], object] = os._exit) -> None:
        self._exit = exit_process
        self.poisoned = False
        self.reason: str | None = None

    def __call__(
        self, reason: str, cause: BaseException | None = None, *, exit_code: int = EXIT_FAIL_STOP
    ) -> None:
        """Log `reason` with the traceback of `cause`, forbid every further commit, exit at once.

        Only the first call of a process does anything: what fails afterwards is a consequence.
        `exit_code` is `EXIT_CONFIGURATION` where a restart would do harm.
        """
        if self.poisoned:
            return
        self.poisoned = True
        self.reason = reason
        log.critical("stopping without a commit: %s", reason, exc_info=cause)
        if self._exit is os._exit:
            logging.shutdown()
        self._exit(exit_code)
