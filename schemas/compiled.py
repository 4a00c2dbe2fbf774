"""Compile a schema into Python functions that write and read typed values, for the way of every record.

fastavro goes through the schema for every value and through a dictionary for every record. A function made
from the schema does neither, and is stricter with hostile bytes (docs/adr/0009). Only the shapes of
schemas/shapes.py occur. fastavro stays the judge: tests compare the two on any record.

The first look is at a run of optional fields and arrays, because most are null or empty, one zero byte each.
A writer looks next at what it has written before, because most texts and times of a batch repeat
(schemas/compiled_values.py). Where the functions were built as machine code, those are taken
(schemas/native.py).
"""

import itertools
import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from schemas import compiled_values, native, shapes
from schemas.errors import BrokenLockError

Declaration = Mapping[str, Any]
Writer = Callable[[Any], bytes]
Reader = Callable[[bytes, int], tuple[Any, int]]

MALFORMED = (IndexError, ValueError)
"""What a compiled reader raises on bytes that are no such record; IndexError: they end within it."""

MISFITS = (TypeError, ValueError, AttributeError, OverflowError)
"""What a compiled writer raises on a value that does not fit."""

_LONGEST_RUN: Final = 6
"""Optional fields and arrays that are looked at together: longer runs are seldom zero bytes throughout."""
_SHORTEST_RUN: Final = 3
"""A writer looks at fewer fields one by one."""
_KNOWN_LENGTHS: Final = compiled_values.KNOWN_LENGTHS


def compile_writer(declaration: Declaration, header: bytes) -> Writer:
    """Return a function that writes a value with the attributes of this record, behind the header."""
    built = native.writer(declaration, header)
    if built is not None:
        return built
    source = _WriterSource()
    parts = source.parts_of(declaration)
    source.add(0, "def write(value):")
    source.add(1, f"return join((HEADER, {', '.join(parts)}))")
    return source.function("write", declaration["name"], {"HEADER": header})  # type: ignore[no-any-return] # made here


def compile_reader(declaration: Declaration, constructors: Mapping[str, Callable[..., Any]]) -> Reader:
    """Return a function (bytes, place) -> (value, place behind it) for this record.

    A place behind the end of the bytes means that they end within the record; the caller checks it.

    Args:
        declaration: The record.
        constructors: Record name -> what makes its value from those of the fields, in their order.
    """
    built = native.reader(declaration, constructors)
    if built is not None:
        return built
    source = _ReaderSource(constructors)
    source.add(0, "def read(data, at):")
    result = source.read_record(1, declaration)
    source.add(1, f"return {result}, at")
    return source.function("read", declaration["name"], {})  # type: ignore[no-any-return] # made here


class _Source:
    """Source text of functions, and the objects it refers to."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._names: dict[str, object] = dict(compiled_values.NAMES)
        self._records: dict[str, Declaration] = {}
        self._count = 0

    def add(self, depth: int, line: str) -> None:
        self._lines.append("    " * depth + line)

    def function(self, name: str, record: str, names: Mapping[str, object]) -> Any:  # noqa: ANN401 - by exec
        text = "\n".join(self._lines) + "\n"
        file = f"<compiled {record} {name}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        scope = {**self._names, **names}
        exec(compile(text, file, "exec"), scope)  # noqa: S102 - made of locked, linted schemas alone
        return scope[name]

    def _new(self, value: object | None = None) -> str:
        self._count += 1
        name = f"v{self._count}"
        if value is not None:
            self._names[name] = value
        return name

    def _resolved(self, kind: Any) -> Any:  # noqa: ANN401 - a type is any JSON
        if isinstance(kind, str) and kind not in shapes.PRIMITIVES:
            return self._records[kind]
        if shapes.is_record(kind) or shapes.is_enum(kind):
            self._records[kind["name"]] = kind
        return kind


class _WriterSource(_Source):
    """Source of a writer: each value is one or two expressions whose bytes are joined."""

    def __init__(self) -> None:
        super().__init__()
        self._functions: dict[str, str] = {}

    def parts_of(self, record: Declaration) -> list[str]:
        parts = []
        for run in _runs(record["fields"]):
            written = [part for field in run for part in self._field(field)]
            if len(run) < _SHORTEST_RUN:
                parts += written
                continue
            blank = " and ".join(f"value.{field['name']} is {_blank(field)}" for field in run)
            parts.append(f"{bytes(len(run))!r} if {blank} else join(({', '.join(written)}))")
        return parts

    def _field(self, field: Mapping[str, Any]) -> Iterable[str]:
        return self._parts(f"value.{field['name']}", field["type"], is_id=_is_id(field["name"]))

    def _parts(self, value: str, kind: Any, *, is_id: bool = False) -> Iterable[str]:  # noqa: ANN401 - a type is any JSON
        kind = self._resolved(kind)
        if not shapes.is_optional(kind):
            return self._required(value, kind, is_id=is_id)
        inner = self._resolved(kind[1])
        if inner == "string" and not is_id:
            return (f"some_texts.get({value}) or some_text({value})",)
        name = self._new()
        if isinstance(inner, str) and inner in {"bytes", "string"}:
            raw = f"{name}.encode()" if inner == "string" else f"as_bytes({name})"
            return (
                f"NULL if ({name} := {value}) is None else some_length(len({name} := {raw}))",
                f"{name} or b''",
            )
        (part,) = self._required(name, inner, is_id=False)
        return (f"NULL if ({name} := {value}) is None else SOME + ({part})",)

    def _required(self, value: str, kind: Any, *, is_id: bool) -> tuple[str, ...]:  # noqa: ANN401 - likewise
        if shapes.is_array(kind):
            name = self._new()
            return (f"NULL if ({name} := {value}) is NOTHING else {self._array(kind)}({name})",)
        if shapes.is_record(kind):
            return (f"{self._record(kind)}({value})",)
        if shapes.is_enum(kind):
            symbols = {symbol: compiled_values.number(index) for index, symbol in enumerate(kind["symbols"])}
            return (f"{self._new(symbols)}.get({value}) or fail('enum')",)
        return self._primitive(value, kind, is_id=is_id)

    def _primitive(self, value: str, kind: str, *, is_id: bool) -> tuple[str, ...]:
        name = self._new()
        if kind == "boolean":
            return (
                f"TRUE if ({name} := {value}) is True else FALSE if {name} is False else fail('boolean')",
            )
        if kind in {"int", "long"}:
            found = f"{kind}s.get({name}) or {kind}({name})"
            return (f"({found}) if ({name} := {value}).__class__ is INT else fail('{kind}')",)
        if kind == "string" and not is_id:
            return (f"texts.get({name} := {value}) or text({name})",)
        raw = f"{value}.encode()" if kind == "string" else f"as_bytes({value})"
        size = f"{name}_size"
        known = f"({size} := len({name} := {raw})) < {_KNOWN_LENGTHS}"
        return (f"LENGTHS[{size}] if {known} else number({size})", name)

    def _record(self, kind: Declaration) -> str:
        if kind["name"] not in self._functions:
            self._functions[kind["name"]] = name = self._new()
            parts = self.parts_of(kind)
            self.add(0, f"def {name}(value):")
            self.add(1, f"return join(({', '.join(parts)},))")
        return self._functions[kind["name"]]

    def _array(self, kind: Declaration) -> str:
        name = self._new()
        parts = self._parts("item", kind["items"])
        self.add(0, f"def {name}(value):")
        self.add(1, "if value.__class__ is not tuple: fail('array')")
        self.add(1, "if not value: return NULL")
        self.add(1, "size = len(value)")
        self.add(1, f"out = [LENGTHS[size] if size < {_KNOWN_LENGTHS} else number(size)]")
        self.add(1, "for item in value:")
        for part in parts:
            self.add(2, f"out.append({part})")
        self.add(1, "out.append(NULL)")
        self.add(1, "return join(out)")
        return name


class _ReaderSource(_Source):
    """Source of a reader: statements that move a place through the bytes."""

    def __init__(self, constructors: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__()
        self._constructors = constructors

    def read_record(self, depth: int, kind: Declaration) -> str:
        self._records[kind["name"]] = kind
        if kind["name"] not in self._constructors:
            raise BrokenLockError(f"nothing makes values of the record {kind['name']}")
        constructor = self._new(self._constructors[kind["name"]])
        values: list[str] = []
        for run in _runs(kind["fields"]):
            names = [self._new() for _ in run]
            values += names
            inner = depth
            if len(run) > 1:
                self.add(depth, f"if data[at:at + {len(run)}] == {bytes(len(run))!r}:")
                for field, name in zip(run, names, strict=True):
                    self.add(depth + 1, f"{name} = {_blank(field)}")
                self.add(depth + 1, f"at += {len(run)}")
                self.add(depth, "else:")
                inner = depth + 1
            for field, name in zip(run, names, strict=True):
                self._read(inner, field["type"], name)
        return f"{constructor}({', '.join(values)})"

    def _read(self, depth: int, kind: Any, name: str) -> None:  # noqa: ANN401 - a type is any JSON
        kind = self._resolved(kind)
        if shapes.is_optional(kind):
            self._byte(depth)
            self.add(depth, f"if byte == 0: {name} = None")
            self.add(depth, "elif byte == 2:")
            self._read(depth + 1, kind[1], name)
            self.add(depth, "else: fail('branch')")
        elif shapes.is_array(kind):
            count, item = self._new(), self._new()
            self._count_of(depth, count)
            self.add(depth, f"if not {count}: {name} = NOTHING")
            self.add(depth, "else:")
            self.add(depth + 1, f"{name} = []")
            self.add(depth + 1, f"while {count}:")
            self.add(depth + 2, f"if {count} < 0: {count}, at = -{count}, get(data, at)[1]")
            self.add(depth + 2, f"for _ in range({count}):")
            self._read(depth + 3, kind["items"], item)
            self.add(depth + 3, f"{name}.append({item})")
            self._count_of(depth + 2, count)
            self.add(depth + 1, f"{name} = tuple({name})")
        elif shapes.is_record(kind):
            self.add(depth, f"{name} = {self.read_record(depth, kind)}")
        elif shapes.is_enum(kind):
            symbols = self._new(tuple(kind["symbols"]))
            self.add(depth, f"{name}, at = get_length(data, at)")
            self.add(
                depth, f"{name} = {symbols}[{name}] if {name} < {len(kind['symbols'])} else fail('enum')"
            )
        else:
            self._read_primitive(depth, name, kind)

    def _read_primitive(self, depth: int, name: str, kind: str) -> None:
        if kind in {"string", "bytes"}:
            self.add(depth, "byte = data[at]")
            # Odd is negative, 128 says that more bytes follow.
            self.add(depth, "if byte & 129: end, at = get_length(data, at)")
            self.add(depth, "else: at, end = at + 1, byte >> 1")
            self.add(depth, "end += at")
            self.add(depth, f"{name} = data[at:end]{'.decode()' if kind == 'string' else ''}")
            self.add(depth, "at = end")
            return
        self._byte(depth)
        if kind == "boolean":
            self.add(depth, f"{name} = False if byte == 0 else True if byte == 1 else fail('boolean')")
            return
        self.add(depth, f"if byte < 128: {name} = byte >> 1 ^ -(byte & 1)")
        if kind == "long":
            self.add(depth, f"elif ({name} := times.get(data[at - 1:at + 5])) is not None: at += 5")
        self.add(depth, "else:")
        self.add(depth + 1, f"{name}, at = get(data, at - 1)")
        if kind == "int":
            self.add(depth + 1, f"if not -{2**31} <= {name} < {2**31}: fail('int')")

    def _count_of(self, depth: int, count: str) -> None:
        """Read how many items follow: nearly always a byte; odd is negative, 128 says that more follow."""
        self.add(depth, "byte = data[at]")
        self.add(depth, f"if byte & 129: {count}, at = get(data, at)")
        self.add(depth, f"else: {count}, at = byte >> 1, at + 1")

    def _byte(self, depth: int) -> None:
        self.add(depth, "byte = data[at]")
        self.add(depth, "at += 1")


def _is_id(field: str) -> bool:
    """Answer whether a text is one of its own in each record: not worth remembering."""
    return field.endswith("_id")


def _may_be_blank(kind: Any) -> bool:  # noqa: ANN401 - a type is any JSON
    return shapes.is_optional(kind) or shapes.is_array(kind)


def _blank(field: Mapping[str, Any]) -> str:
    """Answer the value that is one zero byte."""
    return "None" if shapes.is_optional(field["type"]) else "NOTHING"


def _runs(fields: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Part fields into runs of those that may be one zero byte, and single ones."""
    for may_be_blank, group in itertools.groupby(fields, lambda field: _may_be_blank(field["type"])):
        run = list(group)
        length = _LONGEST_RUN if may_be_blank else 1
        for start in range(0, len(run), length):
            yield run[start : start + length]
