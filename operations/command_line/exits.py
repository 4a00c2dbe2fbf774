"""Exit codes, and how errors become one sentence.

0   done
1   done, and the answer is no: refused, findings, something lost
2   the command line or a file given is wrong
69  Kafka or another service cannot be reached
70  a defect of the program, or a worker that stopped so that nothing is lost
78  settings or directory must be corrected first
"""

import enum
import os
import sys
from typing import NoReturn

import typer

from casework.errors import BadInputError, EditRefusedError, SetupError, TemporaryError
from connectors.errors import ExchangeUnreachableError
from operations.directory.errors import DirectoryFileError
from operations.embedded_kafka import EmbeddedKafkaError
from streams.directory_feed import NoDirectoryError
from streams.redacted_logs import text_of
from streams.redaction import redact


class Exit(enum.IntEnum):
    """What a caller may rely on."""

    DONE = 0
    NO = 1
    USAGE = 2
    UNAVAILABLE = 69
    DEFECT = 70
    CONFIGURATION = 78


def code_of(error: Exception) -> Exit:
    """The exit code for an error that left a command."""
    if isinstance(error, BadInputError):
        return Exit.USAGE
    if isinstance(error, EditRefusedError):
        return Exit.NO
    if isinstance(error, SetupError | NoDirectoryError):
        return Exit.CONFIGURATION
    if isinstance(error, TemporaryError | EmbeddedKafkaError | ConnectionError | TimeoutError):
        return Exit.UNAVAILABLE
    if isinstance(error, OSError):
        return Exit.USAGE
    return Exit.DEFECT


def explain(error: Exception, *, debug: bool) -> Exit:
    """Print an error as one sentence, with its traceback where asked, and answer its exit code."""
    code = code_of(error)
    if debug:
        print(text_of(error), file=sys.stderr, end="")
    text = redact(" ".join(_text(error).split()), _own_words()) or type(error).__name__
    if code is Exit.DEFECT and not debug:
        text = f"unexpected {type(error).__name__}: run again with --debug and tell the developers"
    print(f"hx: {text}", file=sys.stderr)
    return code


def _text(error: Exception) -> str:
    """Answer what is told of an error; of a file with many problems the first; and what to do next."""
    if isinstance(error, DirectoryFileError) and len(error.problems) > 1:
        others = len(error.problems) - 1
        return f"{error.problems[0]}, and {others} more: 'hx directory check' names each"
    if isinstance(error, ExchangeUnreachableError):
        return f"{error}: start one with 'hx kafka start' or set HX_BOOTSTRAP"
    return str(error)


def _own_words() -> set[str]:
    """Answer what the caller has told us, which may be repeated: words of the command, hosts of settings."""
    told = [*sys.argv[1:], *(value for name, value in os.environ.items() if name.startswith("HX_BOOTSTRAP"))]
    hosts = [part.rpartition(":")[0] for word in told for part in word.split(",")]
    return {*told, *hosts}


def leave(code: Exit, sentence: str | None = None) -> NoReturn:
    """End the command with a code and, on standard error, a sentence."""
    if sentence:
        print(f"hx: {sentence}", file=sys.stderr)
    raise typer.Exit(code)
