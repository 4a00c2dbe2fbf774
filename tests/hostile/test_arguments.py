"""The arguments of a process can be read by everybody on its machine."""

from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from operations.command_line import app

SENSITIVE = {"url", "address", "password", "secret", "token", "note", "ip", "referrer", "content", "text"}
KEY_WORDS = {"key", "private", "passphrase", "credential", "credentials"}
PUBLIC = {
    "keys": "a folder or the address of a ring, never a key",
    "key": "the id of a public key",
    "show_content": "a switch",
}


def _commands(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for word, inner in command.commands.items():
            yield from _commands(inner, f"{name} {word}")
    elif isinstance(command, TyperCommand):
        yield name, command


def test_no_command_takes_an_address_or_a_secret_as_an_argument() -> None:
    """Reports come from files, keys and passwords from where their settings point."""
    found = [
        (name, parameter.name)
        for name, command in _commands(typer.main.get_command(app), "hx")
        for parameter in command.params
        if set((parameter.name or "").split("_")) & (SENSITIVE | KEY_WORDS) and parameter.name not in PUBLIC
    ]
    assert found == []
