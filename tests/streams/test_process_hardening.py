import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

_LOOK = (
    "import os, resource, sys, ctypes; from streams.process_hardening import harden; harden(); harden(); "
    "open(sys.argv[1], 'w').close(); "
    "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), os.umask(0))"
)


def test_a_hardened_process_leaves_nothing_to_read(tmp_path: Path) -> None:
    """No core dump, not to be looked into by others of its user, and files only for the owner."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, str(tmp_path / "made")], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["(0,", "0)", "0", "63"]
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600


def test_every_command_hardens_its_process() -> None:
    """The command line and the workers do it before they read anything."""
    look = (
        "import resource, sys; from operations.command_line import main; sys.argv = ['hx', '--version']\n"
        "try: main()\n"
        "except SystemExit: print(resource.getrlimit(resource.RLIMIT_CORE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "0"
