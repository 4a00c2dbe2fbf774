"""Small texts that several commands print."""

import datetime as dt

import typer


def moment(at_ms: int) -> str:
    """A time in milliseconds since the epoch as text to the second, UTC."""
    return dt.datetime.fromtimestamp(at_ms / 1000, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def duration(ms: float) -> str:
    """A duration in the unit a reader would choose."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if ms >= size:
            return f"{ms / size:.1f} {unit}"
    return f"{ms:.0f} ms"


def counted_as(count: int, kind: str) -> str:
    """A count with its unit, which may be given as one or as many: 1 reply, 2 replies, 1 fact."""
    if count == 1:
        one = kind.removesuffix("ies") + "y" if kind.endswith("ies") else kind.removesuffix("s")
        return f"1 {one}"
    if kind.endswith("s"):
        return f"{count} {kind}"
    return f"{count} {kind[:-1]}ies" if kind.endswith("y") else f"{count} {kind}s"


def time_of(text: str | None, option: str) -> int | None:
    """Read a time given with an option; milliseconds since the epoch, UTC.

    Raises:
        typer.BadParameter: It is no time, or has no zone.
    """
    if text is None:
        return None
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise typer.BadParameter("expected a time with its zone, as 2026-11-22T16:00:00Z", param_hint=option)
    return round(at.timestamp() * 1000)


def printable(text: str) -> str:
    """Answer a foreign text with a question mark for each character that is not for print."""
    return "".join(character if character.isprintable() else "?" for character in text)
