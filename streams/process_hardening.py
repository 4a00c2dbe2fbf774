"""What a process gives up at its start so that its memory and its files stay its own.

A worker holds the exchange's private key and, for a moment, every record; a member's program holds addresses
in the clear. A core dump would write all of it to a disk, and any process of the same user could read it.
"""

import ctypes
import os
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4
"""Linux: sys/prctl.h."""
_OTHERS: Final = 0o077


def harden() -> None:
    """Write no core dumps, let no process of the same user look into this one, keep new files to the owner.

    Doing it again changes nothing. Debuggers and profilers of the same user cannot attach afterwards; root's
    can. Children inherit all but the second.
    """
    os.umask(_OTHERS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # A kernel without the call leaves the limit of 0 bytes above; the answer changes nothing.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
