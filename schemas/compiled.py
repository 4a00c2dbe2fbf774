"""Compile a schema into Python functions that write and read typed values, for the way of every record.

fastavro goes through the schema for every value and through a dictionary for every record. A function made
from the schema does neither, and is stricter with hostile bytes (docs/adr/0009). Only the shapes of
schemas/shapes.py occur. fastavro stays the judge: tests compare the two on any record.
"""

import linecache
from collections.abc import Callable, Mapping
from typing import Any

from schemas import shapes
from schemas.errors import BrokenLockError

Declaration = Mapping[str, Any]
Writer = Callable[[Any], bytes]
Reader = Callable[[bytes, int], tuple[Any, int]]

MALFORMED = (IndexError, ValueError)
"""What a compiled reader raises on bytes that are no such record; IndexError: they end within it."""

MISFITS = (TypeError, ValueError, AttributeError)
"""What a compiled writer raises on a value that does not fit."""

_INT = 2**31
_LONG = 2**63


def compile_writer(declaration: Declaration, header: bytes) -> Writer:
    """Return a function that writes a value with the attributes of this record, behind the header."""
    source = _Source()
    source.add(0, "def write(value):")
    source.add(1, "out = bytearray(HEADER)")
    for field in declaration["fields"]:
        source.write(1, f"value.{field['name']}", field["type"])
    source.add(1, "return bytes(out)")
    return source.function("write", declaration["name"], {"HEADER": header})  # type: ignore[no-any-return] # made here


def compile_reader(declaration: Declaration, constructors: Mapping[str, Callable[..., Any]]) -> Reader:
    """Return a function (bytes, place) -> (value, place behind it) for this record.

    A place behind the end of the bytes means that they end within the record; the caller checks it.

    Args:
        declaration: The record.
        constructors: Record name -> what makes its value from keyword arguments.
    """
    source = _Source(constructors)
    source.add(0, "def read(data, at):")
    result = source.read_record(1, declaration)
    source.add(1, f"return {result}, at")
    return source.function("read", declaration["name"], {})  # type: ignore[no-any-return] # made here


class _Source:
    """Source text of one function, and the objects it refers to."""

    def __init__(self, constructors: Mapping[str, Callable[..., Any]] | None = None) -> None:
        self._lines: list[str] = []
        self._names: dict[str, object] = {"put": _put, "get": _get, "get_length": _get_length, "fail": _fail}
        self._records: dict[str, Declaration] = {}
        self._constructors = constructors or {}
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

    def write(self, depth: int, value: str, kind: Any) -> None:  # noqa: ANN401 - a type is any JSON
        kind = self._resolved(kind)
        if not value.isidentifier():
            name = self._new()
            self.add(depth, f"{name} = {value}")
            value = name
        if shapes.is_optional(kind):
            self.add(depth, f"if {value} is None: out.append(0)")
            self.add(depth, "else:")
            self.add(depth + 1, "out.append(2)")
            self.write(depth + 1, value, kind[1])
        elif shapes.is_array(kind):
            self.add(depth, f"if {value}.__class__ is not tuple: fail('array')")
            self.add(depth, f"if {value}:")
            self.add(depth + 1, f"put(out, len({value}))")
            item = self._new()
            self.add(depth + 1, f"for {item} in {value}:")
            self.write(depth + 2, item, kind["items"])
            self.add(depth, "out.append(0)")
        elif shapes.is_record(kind):
            for field in kind["fields"]:
                self.write(depth, f"{value}.{field['name']}", field["type"])
        elif shapes.is_enum(kind):
            indexes = self._new({symbol: index for index, symbol in enumerate(kind["symbols"])})
            self.add(depth, f"put(out, {indexes}[{value}] if {value} in {indexes} else fail('enum'))")
        else:
            self._write_primitive(depth, value, kind)

    def _write_primitive(self, depth: int, value: str, kind: str) -> None:
        if kind == "boolean":
            self.add(
                depth, f"out.append(1 if {value} is True else 0 if {value} is False else fail('boolean'))"
            )
        elif kind in {"int", "long"}:
            limit = _INT if kind == "int" else _LONG
            self.add(depth, f"if 0 <= {value} < 64: out.append({value} << 1)")
            self.add(depth, f"elif -{limit} <= {value} < {limit}: put(out, {value})")
            self.add(depth, f"else: fail({kind!r})")
        else:
            raw = self._new()
            check = (
                f"{value}.encode()"
                if kind == "string"
                else f"{value} if type({value}) is bytes else fail('bytes')"
            )
            self.add(depth, f"{raw} = {check}")
            self.add(depth, f"if len({raw}) < 64: out.append(len({raw}) << 1)")
            self.add(depth, f"else: put(out, len({raw}))")
            self.add(depth, f"out += {raw}")

    def read_record(self, depth: int, kind: Declaration) -> str:
        self._records[kind["name"]] = kind
        if kind["name"] not in self._constructors:
            raise BrokenLockError(f"nothing makes values of the record {kind['name']}")
        constructor = self._new(self._constructors[kind["name"]])
        values = [(field["name"], self._read(depth, field["type"])) for field in kind["fields"]]
        return f"{constructor}({', '.join(f'{name}={value}' for name, value in values)})"

    def _read(self, depth: int, kind: Any) -> str:  # noqa: ANN401 - a type is any JSON
        kind = self._resolved(kind)
        name = self._new()
        if shapes.is_optional(kind):
            self._byte(depth)
            self.add(depth, f"if byte == 0: {name} = None")
            self.add(depth, "elif byte == 2:")
            self.add(depth + 1, f"{name} = {self._read(depth + 1, kind[1])}")
            self.add(depth, "else: fail('branch')")
        elif shapes.is_array(kind):
            count = self._new()
            self.add(depth, f"{name} = ()")
            self.add(depth, f"{count}, at = get(data, at)")
            self.add(depth, f"if {count}:")
            self.add(depth + 1, f"{name} = []")
            self.add(depth + 1, f"while {count}:")
            self.add(depth + 2, f"if {count} < 0: {count}, at = -{count}, get(data, at)[1]")
            self.add(depth + 2, f"for _ in range({count}):")
            self.add(depth + 3, f"{name}.append({self._read(depth + 3, kind['items'])})")
            self.add(depth + 2, f"{count}, at = get(data, at)")
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
        return name

    def _read_primitive(self, depth: int, name: str, kind: str) -> None:
        self._byte(depth)
        if kind == "boolean":
            self.add(depth, f"{name} = False if byte == 0 else True if byte == 1 else fail('boolean')")
        elif kind in {"int", "long"}:
            self.add(depth, f"if byte < 128: {name} = byte >> 1 ^ -(byte & 1)")
            self.add(depth, "else:")
            self.add(depth + 1, f"{name}, at = get(data, at - 1)")
            if kind == "int":
                self.add(depth + 1, f"if not -{_INT} <= {name} < {_INT}: fail('int')")
        else:
            self.add(depth, "if byte < 128 and not byte & 1: end = at + (byte >> 1)")
            self.add(depth, "else:")
            self.add(depth + 1, "end, at = get_length(data, at - 1)")
            self.add(depth + 1, "end += at")
            self.add(depth, f"{name} = data[at:end]{'.decode()' if kind == 'string' else ''}")
            self.add(depth, "at = end")

    def _byte(self, depth: int) -> None:
        self.add(depth, "byte = data[at]")
        self.add(depth, "at += 1")

    def _resolved(self, kind: Any) -> Any:  # noqa: ANN401 - a type is any JSON
        if isinstance(kind, str) and kind not in shapes.PRIMITIVES:
            return self._records[kind]
        if shapes.is_record(kind) or shapes.is_enum(kind):
            self._records[kind["name"]] = kind
        return kind


def _fail(shape: str) -> int:
    raise ValueError(f"no value of this {shape}")


def _put(out: bytearray, number: int) -> None:
    """Append a number of at most 64 bits as Avro writes it: zigzag, 7 bits a byte, lowest first."""
    rest = number << 1 ^ number >> 63
    while rest > 127:  # noqa: PLR2004 - 7 bits
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)


def _get(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place and the place behind it; at most 10 bytes and 64 bits."""
    byte = data[at]
    number = byte & 127
    shift = 0
    while byte > 127:  # noqa: PLR2004 - the high bit says that more follow
        at += 1
        shift += 7
        byte = data[at]
        number |= (byte & 127) << shift
        if shift > 63:  # noqa: PLR2004 - bits of a long
            _fail("long")
    if number >> 64:
        _fail("long")
    return number >> 1 ^ -(number & 1), at + 1


def _get_length(data: bytes, at: int) -> tuple[int, int]:
    length, at = _get(data, at)
    if length < 0:
        _fail("length")
    return length, at
