"""The command `hx` as a whole: its global options, its groups, and what happens to errors."""

import logging
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from operations.command_line import (
    actions,
    cases,
    dead_letters,
    demo,
    desk,
    directory,
    evidence,
    inbox,
    kafka,
    keys,
    members,
    provision,
    reconcile,
    reports,
    schemas,
    simulate,
    verify,
    worker,
)
from operations.command_line.exits import Exit, explain
from operations.command_line.session import Session
from streams.process_hardening import harden
from streams.redacted_logs import redact_uncaught

app = typer.Typer(
    name="hotline-exchange",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Hotline Exchange: reports between national hotlines, over Kafka. Metadata only.",
    epilog="Exit codes: 0 done, 1 the answer is no, 2 wrong input, 69 no Kafka, 70 defect, 78 settings.",
)
for group, module in (
    ("kafka", kafka),
    ("worker", worker),
    ("inbox", inbox),
    ("cases", cases),
    ("desk", desk),
    ("evidence", evidence),
    ("deadletters", dead_letters),
    ("directory", directory),
    ("members", members),
    ("keys", keys),
    ("schemas", schemas),
):
    app.add_typer(module.app, name=group, no_args_is_help=True)
for module in (demo, provision, reports, actions, simulate, verify, reconcile):
    module.add_to(app)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"hotline-exchange {version('hotline-exchange')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Settings file (TOML); HX_* variables win over it.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hotline Exchange: reports between national hotlines, over Kafka. Metadata only.

    Example: hx demo
    """
    del debug, show_version
    context.obj = Session(config)


def main() -> None:
    """Run the command line; every error is one sentence on standard error and an exit code."""
    harden()
    redact_uncaught()
    debug = "--debug" in sys.argv
    if debug:
        sys.argv = [sys.argv[0], "--debug", *(word for word in sys.argv[1:] if word != "--debug")]
    else:
        # Their lines stay out of a person's terminal, and still reach whatever log a command sets up.
        for library in ("aiokafka", "kafka"):
            logging.getLogger(library).addHandler(logging.NullHandler())
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        sys.exit(130)
    except TyperException as error:
        # A group without a command has printed its help, and says no more.
        if said := error.format_message():
            print(f"hx: {said} (--help explains)", file=sys.stderr)
        sys.exit(Exit.USAGE)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(Exit.DONE)
    except Exception as error:  # noqa: BLE001 - the last frame: whatever comes becomes a sentence and a code
        sys.exit(explain(error, debug=debug))
    sys.exit(code if isinstance(code, int) else Exit.DONE)
