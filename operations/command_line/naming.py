"""Names that people type: a mistyped one is an error that offers the right one, never an empty answer."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from casework.directory import Directory
from operations.command_line.exits import Exit, leave
from operations.command_line.session import Session
from operations.setting_up import read_directory
from streams.secret_sources import SecretSourceError


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


def no_member(asked: str, directory: Directory) -> NoReturn:
    """End the command because a directory lists no such member; who types a liaison's code is told its id."""
    liaison = directory.liaison(asked.lower())
    if liaison is not None:
        leave(Exit.USAGE, f"no member {asked}: the liaison of {asked.lower()} is {liaison.id}")
    unknown_member(asked, directory.members_by_id)


@contextmanager
def naming(session: Session, member: str | None) -> Iterator[None]:
    """Tell of an id that nobody has, where a password or a ring of that name was looked for in vain.

    Args:
        session: Whose directory is asked: the published one, else the file.
        member: The id that was typed; None changes nothing.
    """
    try:
        yield
    except SecretSourceError:
        if member is None:
            raise
        directory = session.any_directory or read_directory(session.settings, session.clock.now_ms())
        if member not in directory.members_by_id:
            no_member(member, directory)
        raise


def check_sender(member: str, directory: Directory) -> None:
    """End the command unless a member is listed and may send."""
    found = directory.members_by_id.get(member)
    if found is None:
        no_member(member, directory)
    if not found.active:
        leave(Exit.USAGE, f"{member} may not send: directory version {directory.version} says {found.status}")
