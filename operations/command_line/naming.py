"""Names that people type: a mistyped one is an error that offers the right one, never an empty answer."""

import difflib
from collections.abc import Iterable
from typing import NoReturn

from casework.directory import Directory
from operations.command_line.exits import Exit, leave


def unknown(what: str, asked: str, known: Iterable[str], where: str) -> NoReturn:
    """End the command because no `what` has the name that was asked for.

    Args:
        what: What is named, as "member".
        asked: The name.
        known: Names that there are; the nearest of them is offered.
        where: Who names all of them, as "'hx members list' names all".
    """
    close = difflib.get_close_matches(asked.lower(), sorted(set(known)), n=1)
    hint = f"did you mean {close[0]}?" if close else where
    leave(Exit.USAGE, f"no {what} {asked}: {hint}")


def unknown_member(asked: str, known: Iterable[str]) -> NoReturn:
    """End the command because no member has this id."""
    unknown("member", asked, known, "'hx members list' names all")


def check_sender(member: str, directory: Directory) -> None:
    """End the command unless a member is listed and may send."""
    found = directory.members_by_id.get(member)
    if found is None:
        unknown_member(member, directory.members_by_id)
    if not found.active:
        leave(Exit.USAGE, f"{member} may not send: directory version {directory.version} says {found.status}")
