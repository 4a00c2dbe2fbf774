"""What a setting may be, in words for the operator who gave something else."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from msgspec import Meta

_BOUNDS: Final = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
_TYPES: Final = {int: "a whole number", float: "a number", Path: "the path of a file or directory"}


def rule_of(kind: Any) -> str:  # noqa: ANN401 - a type or an annotation
    """Answer what a value of this type must be; a pattern is told by its description."""
    bounds: list[str] = []
    if get_origin(kind) is Annotated:
        kind, *metas = get_args(kind)
        for meta in metas:
            if isinstance(meta, Meta):
                if meta.description is not None:
                    return meta.description
                bounds += [
                    f"{words} {getattr(meta, name)}"
                    for name, words in _BOUNDS
                    if getattr(meta, name) is not None
                ]
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    inner = [each for each in get_args(kind) if each is not type(None)]
    if inner:
        return rule_of(inner[0])
    text = _TYPES.get(kind, "a text")
    return ", ".join((text, " and ".join(bounds))) if bounds else text
