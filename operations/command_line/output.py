"""Results for people (tables) and for machines (JSON)."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Column, Table

_WHOLE: Final = frozenset({"case", "event id"})
"""Columns whose values are copied into commands: other columns become narrower before these."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one value a line, for a machine.")]


def _hexed(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): _hexed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hexed(item) for item in value]
    return value


def print_json(value: object) -> None:
    """One value on one line; bytes are hexadecimal text."""
    builtins = msgspec.to_builtins(value, enc_hook=str, builtin_types=(bytes,))
    print(json.dumps(_hexed(builtins), ensure_ascii=False), flush=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people; without a terminal its lines are as wide as they need."""
    heads = (Column(name, no_wrap=name in _WHOLE) for name in columns)
    table = Table(*heads, title=title, box=box.SIMPLE_HEAD, title_justify="left")
    count = 0
    for row in rows:
        count += 1
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console = Console() if sys.stdout.isatty() else Console(width=200)
    if count:
        console.print(table)
    else:
        console.print(f"{title}: none")
