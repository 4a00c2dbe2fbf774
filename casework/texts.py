"""Lengths and characters of every text of a message, found by the message's own fields.

A field that somebody adds to a message and forgets in `limits` fails a test, not a review. The usual case
is one look at all texts of a message together, because this runs for every submission.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import attrgetter, le
from typing import Any, Final

import msgspec

from casework.errors import RuleViolation
from casework.free_text import check_characters, has_control_characters
from casework.limits import ITEM_LIMITS, TEXT_LIMITS, too_long
from casework.messages import Label, Message

_ADDRESS_SIGN: Final = "://"
_WITH_LINES: Final = frozenset({"note"})
_Getter = Callable[[Message], Sequence[Any]]


def text_fields(message: type[Message]) -> tuple[str, ...]:
    """Answer the fields of a message type that hold one text or none."""
    return tuple(field.name for field in msgspec.structs.fields(message) if field.type in (str, str | None))


def list_fields(message: type[Message]) -> tuple[str, ...]:
    """Answer the fields of a message type that hold lists of texts or labels."""
    return tuple(
        field.name
        for field in msgspec.structs.fields(message)
        if field.type in (tuple[str, ...], tuple[Label, ...])
    )


@cache
def _plan(message: type[Message]) -> tuple[_Getter, tuple[str, ...], tuple[int, ...], tuple[str, ...]]:
    names = text_fields(message)
    limits = tuple(TEXT_LIMITS[name].characters for name in names)
    return attrgetter(*names), names, limits, list_fields(message)


def check_texts(message: Message, prefix: str) -> Iterator[RuleViolation]:
    """Yield a violation for each over-long text, over-full list and control character of a message.

    And for an address in a statement: everybody on its way reads that, and nobody but its readers content.

    Args:
        message: A statement or a content.
        prefix: What stands before the field in the path told to the sender, such as `content.`; empty for a
            statement.
    """
    get, names, limits, lists = _plan(type(message))
    texts = [text or "" for text in get(message)]
    together = "".join(texts)
    if not prefix and _ADDRESS_SIGN in together:
        for text, name in zip(texts, names, strict=True):
            if _ADDRESS_SIGN in text:
                yield RuleViolation(name, "address_in_clear", "an address belongs into the sealed content")
    if not all(map(le, map(len, texts), limits)) or not together.isprintable():
        for text, name, limit in zip(texts, names, limits, strict=True):
            if len(text) > limit:
                yield too_long(prefix + name, name)
            elif not text.isprintable() and has_control_characters(text, lines=name in _WITH_LINES):
                yield from _characters(prefix + name, text, lines=name in _WITH_LINES)
    for name in lists:
        items = getattr(message, name)
        if items:
            yield from _check_list(name, items, prefix + name)


def _check_list(name: str, items: Sequence[str | Label], path: str) -> Iterator[RuleViolation]:
    if len(items) > ITEM_LIMITS[name]:
        yield RuleViolation(path, "too_many", f"at most {ITEM_LIMITS[name]} entries")
        return
    for index, item in enumerate(items):
        for text in (item,) if isinstance(item, str) else _label_texts(item):
            if len(text) > TEXT_LIMITS[name].characters:
                yield too_long(f"{path}[{index}]", name)
            elif not text.isprintable():
                yield from _characters(f"{path}[{index}]", text, lines=False)


def _label_texts(label: Label) -> tuple[str, ...]:
    return (label.scheme, label.scheme_version, label.section, label.label)


def _characters(path: str, text: str, *, lines: bool) -> Iterator[RuleViolation]:
    violation = check_characters(path, text, lines=lines)
    if violation is not None:
        yield violation
