"""Reports and actions from files, for hotlines that begin with an export of their own system.

Two forms. CSV in UTF-8: the first line names the columns, which are the fields of `ReportDraft` or
`ActionDraft`; separated by commas, or by semicolons if the first line has only those; several values of one
field separated by spaces; an empty cell is a field not given; a cell holds no line break. JSON lines: one
object a line with the same fields. Times are ISO 8601 with a time zone, or milliseconds since the epoch; a
url key is hexadecimal.

A bad line is a `Problem` with file, line, field and rule, and the next line goes on. Files are read line by
line, whatever their size.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Generic, TypeVar

import msgspec

from casework.errors import BROKEN_JSON, BadInputError, RuleViolation
from casework.url_keys import url_key_from_text
from connectors.drafts import ActionDraft, ReportDraft, violation_of
from connectors.preparing import Prepared

Draft = TypeVar("Draft", ReportDraft, ActionDraft)

MAX_LINE_BYTES: Final = 1 << 20
"""Four times the largest submission: room for JSON's escapes, and a bound for memory."""

LISTS: Final = frozenset(
    {"payment_methods", "urgency", "sibling_items", "readers", "parties", "related_case_ids"}
)
"""Fields that hold several values."""
_NOT_IN_CSV: Final = frozenset({"labels"})
_CSV: Final = frozenset({".csv"})
_JSON_LINES: Final = frozenset({".jsonl", ".ndjson"})
_NOUNS: Final = {ReportDraft: "a report", ActionDraft: "an action"}
_OTHER_KIND: Final = {
    ReportDraft: RuleViolation("line", "is_an_action", "holds an action, no report: send it with 'hx act'"),
    ActionDraft: RuleViolation("line", "is_a_report", "holds a report, no action: send it with 'hx submit'"),
}
_NAME: Final = re.compile(r"[a-z]{2,15}(?:_[a-z]{1,15}){0,4}")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class FileRefusedError(BadInputError):
    """The file as a whole cannot be read: its name, its first line, or its absence."""


class Problem(msgspec.Struct, frozen=True):
    """A line that cannot be used.

    Attributes:
        file: The file as it was named.
        line: Line number, from 1.
        violation: Field, rule and expectation.
    """

    file: str
    line: int
    violation: RuleViolation

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.violation}"


class Line(msgspec.Struct, Generic[Draft], frozen=True):
    """A line that could be read.

    Attributes:
        file: The file as it was named.
        line: Line number, from 1.
        draft: What it says.
    """

    file: str
    line: int
    draft: Draft


class Ready(msgspec.Struct, frozen=True):
    """A line that passed the rules of the exchange.

    Attributes:
        file: The file as it was named.
        line: Line number, from 1.
        prepared: What would be sent.
    """

    file: str
    line: int
    prepared: Prepared


class Counts:
    """How many lines of a file were good and bad; bad lines count once, however many problems they have."""

    def __init__(self) -> None:
        self.good = 0
        self.bad = 0
        self._last_bad: tuple[str, int] | None = None

    def see(self, item: "Ready | Problem") -> None:
        """Count one answer of `prepared_lines`."""
        if not isinstance(item, Problem):
            self.good += 1
        elif (item.file, item.line) != self._last_bad:
            self.bad += 1
            self._last_bad = (item.file, item.line)


def read_reports(path: Path) -> Iterator[Line[ReportDraft] | Problem]:
    """Read a file of reports.

    Raises:
        FileRefusedError: The file as a whole cannot be read.
    """
    return _read(path, ReportDraft)


def read_actions(path: Path) -> Iterator[Line[ActionDraft] | Problem]:
    """Read a file of actions.

    Raises:
        FileRefusedError: The file as a whole cannot be read.
    """
    return _read(path, ActionDraft)


def prepared_lines(
    lines: Iterable[Line[Draft] | Problem], prepare: Callable[[Draft], Prepared]
) -> Iterator[Ready | Problem]:
    """Check each line by the rules of the exchange, with a client's `prepare`; nothing is sent.

    A line that breaks several rules is answered by several problems.
    """
    for item in lines:
        if isinstance(item, Problem):
            yield item
            continue
        try:
            prepared = prepare(item.draft)
        except BadInputError as error:
            for violation in error.violations:
                yield Problem(item.file, item.line, violation)
        else:
            yield Ready(item.file, item.line, prepared)


def _read(path: Path, draft: type[Draft]) -> Iterator[Line[Draft] | Problem]:
    suffix = path.suffix.lower()
    if suffix not in _CSV | _JSON_LINES:
        raise _refused(path, "unknown_form", "must end in .csv, .jsonl or .ndjson")
    try:
        with path.open("rb") as file:
            yield from (_csv if suffix in _CSV else _json_lines)(str(path), file, draft)
    except OSError as error:
        raise _refused(path, "unreadable", error.strerror or type(error).__name__) from error


def _refused(path: Path | str, rule: str, message: str) -> FileRefusedError:
    return FileRefusedError(RuleViolation(str(path), rule, message))


def _csv(name: str, file: BinaryIO, draft: type[Draft]) -> Iterator[Line[Draft] | Problem]:
    lines = _texts(name, file)
    first = next(lines, None)
    if first is None or isinstance(first, Problem):
        raise _refused(f"{name}:1", "no_header", "the first line must name the columns, in UTF-8")
    delimiter = ";" if ";" in first[1] and "," not in first[1] else ","
    try:
        columns = [column.strip() for column in _cells(first[1], delimiter)]
    except csv.Error:
        raise _refused(f"{name}:1", "broken_quotes", "quotes must close on the same line") from None
    _check_columns(name, columns, draft)
    for item in lines:
        if isinstance(item, Problem):
            yield item
            continue
        number, text = item
        try:
            cells = _cells(text, delimiter)
        except csv.Error:
            rule = RuleViolation("line", "broken_quotes", "quotes must close on the same line")
            yield Problem(name, number, rule)
            continue
        if len(cells) != len(columns):
            expected = f"has {len(cells)} cells, the first line names {len(columns)} columns"
            yield Problem(name, number, RuleViolation("line", "wrong_columns", expected))
            continue
        fields: dict[str, Any] = {
            column: cell.split() if column in LISTS else cell.strip()
            for column, cell in zip(columns, cells, strict=True)
            if cell.strip()
        }
        yield line_of(name, number, fields, draft, strict=False)


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])


def _check_columns(name: str, columns: list[str], draft: type[Draft]) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(draft)}
    if _is_of_the_other_kind(columns, draft):
        raise _refused(f"{name}:1", _OTHER_KIND[draft].rule, _OTHER_KIND[draft].message)
    for place, column in enumerate(columns, 1):
        if column in _NOT_IN_CSV:
            raise _refused(f"{name}:1", "not_in_csv", f"{column} can only be given in JSON lines")
        if column not in fields:
            # In a file without a first line of names these are values.
            shown = repr(column) if _NAME.fullmatch(column) else f"column {place}"
            raise _refused(f"{name}:1", "unknown_column", f"{shown} is no field of {_NOUNS[draft]}")
        if columns.count(column) > 1:
            raise _refused(f"{name}:1", "column_twice", f"{column!r} is named twice")
    missing = sorted(field.name for field in fields.values() if field.required and field.name not in columns)
    if missing:
        raise _refused(f"{name}:1", "missing_column", f"needs the columns {', '.join(missing)}")


def _json_lines(name: str, file: BinaryIO, draft: type[Draft]) -> Iterator[Line[Draft] | Problem]:
    for item in _texts(name, file):
        if isinstance(item, Problem):
            yield item
            continue
        number, text = item
        try:
            fields = msgspec.json.decode(text, type=dict[str, Any])
        except BROKEN_JSON:
            rule = RuleViolation("line", "not_json", "must be one JSON object")
            yield Problem(name, number, rule)
            continue
        yield line_of(name, number, fields, draft, strict=True)


def line_of(
    name: str, number: int, fields: dict[str, Any], draft: type[Draft], *, strict: bool
) -> Line[Draft] | Problem:
    """Answer the draft that fields describe, or what is wrong with them.

    Args:
        name: Where they stand, as it is told.
        number: On which line.
        fields: Names and values.
        draft: What they describe.
        strict: Whether numbers and flags must be such, and not their texts.
    """
    if _is_of_the_other_kind(fields, draft):
        return Problem(name, number, _OTHER_KIND[draft])
    try:
        if isinstance(fields.get("url_key"), str):
            fields["url_key"] = url_key_from_text(fields["url_key"])
        return Line(name, number, msgspec.convert(fields, draft, strict=strict, builtin_types=(bytes,)))
    except msgspec.ValidationError as error:
        return Problem(name, number, violation_of(error))
    except BadInputError as error:
        return Problem(name, number, error.violations[0])


def _is_of_the_other_kind(names: Collection[str], draft: type[ReportDraft] | type[ActionDraft]) -> bool:
    """Answer whether an action stands where a report is expected, or the other way round."""
    return ("action" in names) if draft is ReportDraft else ("received_at" in names and "action" not in names)


def _texts(name: str, file: BinaryIO) -> Iterator[tuple[int, str] | Problem]:
    """Yield the lines that are not blank, with their numbers and without their ends."""
    number = 0
    while raw := file.readline(MAX_LINE_BYTES):
        number += 1
        if number == 1:
            raw = raw.removeprefix(_BYTE_ORDER_MARK)
        if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield Problem(
                name, number, RuleViolation("line", "too_long", f"at most {MAX_LINE_BYTES:,} bytes")
            )
            continue
        try:
            text = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            yield Problem(name, number, RuleViolation("line", "not_utf8", "must be UTF-8"))
            continue
        if text.strip():
            yield number, text
