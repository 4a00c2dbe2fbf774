"""The command line as in a shell of its own, without an interpreter to start for each command."""

import contextlib
import io
import os
import sys
from collections.abc import Mapping, Sequence

import pytest

from operations.command_line import main


def hx(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run `hx` with these settings and no others; answer exit code, output and error output."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        for name in [name for name in os.environ if name.startswith("HX_")]:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["hx", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code
    assert isinstance(code, int)
    return code, out.getvalue(), err.getvalue()
