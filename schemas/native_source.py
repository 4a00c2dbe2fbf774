"""Source of the same functions as in schemas/compiled.py, typed for mypyc: machine code where it was built.

Each function stands for itself: what it needs from outside (the frame, what makes records) is an argument.
Its name is the hash of its text, so a build can only serve the very schema it was made of.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from schemas import shapes

_PRELUDE: Final = """
from typing import Any

from librt.strings import BytesWriter
from mypy_extensions import i64


def fail(shape: str) -> None:
    raise ValueError(f"no value of this {shape}")


def put(out: BytesWriter, number: i64) -> None:
    if 0 <= number < 64:
        out.append(int(number << 1))
        return
    rest: i64 = (number << 1) ^ (number >> 63)
    while rest < 0 or rest > 127:
        out.append(int(rest & 127 | 128))
        rest = (rest >> 7) & 0x1FFFFFFFFFFFFFF
    out.append(int(rest))


def put_int(out: BytesWriter, number: i64) -> None:
    if not -2147483648 <= number < 2147483648:
        fail("int")
    put(out, number)


def put_text(out: BytesWriter, text: str) -> None:
    raw = text.encode()
    put(out, len(raw))
    out.write(raw)


def put_bytes(out: BytesWriter, raw: bytes) -> None:
    put(out, len(raw))
    out.write(raw)


def get(data: bytes, at: i64) -> tuple[i64, i64]:
    byte: i64 = data[at]
    number: i64 = byte & 127
    shift: i64 = 0
    while byte > 127:
        at += 1
        shift += 7
        byte = data[at]
        if shift > 63 or (shift == 63 and byte > 1):
            fail("long")
        number |= (byte & 127) << shift
    return ((number >> 1) & 0x7FFFFFFFFFFFFFFF) ^ -(number & 1), at + 1


def get_int(data: bytes, at: i64) -> tuple[i64, i64]:
    number, at = get(data, at)
    if not -2147483648 <= number < 2147483648:
        fail("int")
    return number, at


def get_length(data: bytes, at: i64) -> tuple[i64, i64]:
    length, at = get(data, at)
    if length < 0:
        fail("length")
    if length > len(data) - at:
        raise IndexError("the bytes end within the record")
    return length, at
"""


class NativeFunction(NamedTuple):
    """A function as source.

    Attributes:
        name: its name in a built module.
        text: its source.
        given: what its argument `given` holds, in order: what makes the record of a name (here the name), and
            the symbols of enums.
    """

    name: str
    text: str
    given: tuple[object, ...]


def prelude() -> str:
    """Return what stands before the functions of a module."""
    return _PRELUDE


def native_writer(declaration: Mapping[str, Any]) -> NativeFunction:
    """Return the source of ``write(header, given, value) -> bytes``."""
    source = _Source()
    for field in declaration["fields"]:
        source.write(1, f"value.{field['name']}", field["type"])
    source.add(1, "return out.getvalue()")
    return source.function(
        "write",
        "header: bytes, given: tuple[Any, ...], value: Any",
        "bytes",
        ["out = BytesWriter()", "out.write(header)"],
    )


def native_reader(declaration: Mapping[str, Any]) -> NativeFunction:
    """Return the source of ``read(given, data, at) -> (value, place behind it)``."""
    source = _Source()
    result = source.read_record(1, declaration)
    source.add(1, f"return {result}, at")
    begin = ["byte: i64 = 0", "number: i64 = 0", "end: i64 = 0"]
    return source.function(
        "read", "given: tuple[Any, ...], data: bytes, at: i64", "tuple[object, i64]", begin
    )


class _Source:
    """Lines of one function, its variables, and what it must be given."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._variables: list[str] = []
        self._given: list[object] = []
        self._records: dict[str, Mapping[str, Any]] = {}

    def add(self, depth: int, line: str) -> None:
        self._lines.append("    " * depth + line)

    def function(self, verb: str, arguments: str, result: str, begin: list[str]) -> NativeFunction:
        head = [f"    {line}" for line in (*begin, *self._variables)]
        body = "\n".join([f"def {verb}_({arguments}) -> {result}:", *head, *self._lines, ""])
        name = f"{verb}_{hashlib.sha256((_PRELUDE + body).encode()).hexdigest()[:24]}"
        return NativeFunction(name, body.replace(f"def {verb}_(", f"def {name}(", 1), tuple(self._given))

    def _new(self, kind: str, initial: str) -> str:
        name = f"v{len(self._variables) + 1}"
        self._variables.append(f"{name}: {kind} = {initial}")
        return name

    def _needed(self, thing: object) -> str:
        if thing not in self._given:
            self._given.append(thing)
        return f"given[{self._given.index(thing)}]"

    def _resolved(self, kind: Any) -> Any:  # noqa: ANN401 - a type is any JSON
        if isinstance(kind, str) and kind not in shapes.PRIMITIVES:
            return self._records[kind]
        if shapes.is_record(kind) or shapes.is_enum(kind):
            self._records[kind["name"]] = kind
        return kind

    def write(self, depth: int, value: str, kind: Any) -> None:  # noqa: ANN401 - likewise
        kind = self._resolved(kind)
        if shapes.is_optional(kind):
            name = self._new("Any", "None")
            self.add(depth, f"{name} = {value}")
            self.add(depth, f"if {name} is None:")
            self.add(depth + 1, "out.append(0)")
            self.add(depth, "else:")
            self.add(depth + 1, "out.append(2)")
            self.write(depth + 1, name, kind[1])
        elif shapes.is_array(kind):
            name, item = self._new("Any", "None"), self._new("Any", "None")
            self.add(depth, f"{name} = {value}")
            self.add(depth, f"if type({name}) is not tuple:")
            self.add(depth + 1, "fail('array')")
            self.add(depth, f"if {name}:")
            self.add(depth + 1, f"put(out, len({name}))")
            self.add(depth + 1, f"for {item} in {name}:")
            self.write(depth + 2, item, kind["items"])
            self.add(depth, "out.append(0)")
        elif shapes.is_record(kind):
            name = self._new("Any", "None")
            self.add(depth, f"{name} = {value}")
            for field in kind["fields"]:
                self.write(depth, f"{name}.{field['name']}", field["type"])
        elif shapes.is_enum(kind):
            name = self._new("Any", "None")
            indexes = {symbol: index for index, symbol in enumerate(kind["symbols"])}
            self.add(depth, f"{name} = {self._needed(indexes)}.get({value})")
            self.add(depth, f"if {name} is None:")
            self.add(depth + 1, "fail('enum')")
            self.add(depth, f"put(out, {name})")
        else:
            self._write_primitive(depth, value, kind)

    def _write_primitive(self, depth: int, value: str, kind: str) -> None:
        if kind == "boolean":
            name = self._new("Any", "None")
            self.add(depth, f"{name} = {value}")
            self.add(depth, f"if {name} is True:")
            self.add(depth + 1, "out.append(1)")
            self.add(depth, "else:")
            self.add(depth + 1, f"if {name} is not False:")
            self.add(depth + 2, "fail('boolean')")
            self.add(depth + 1, "out.append(0)")
        else:
            put = {"int": "put_int", "long": "put", "string": "put_text", "bytes": "put_bytes"}[kind]
            self.add(depth, f"{put}(out, {value})")

    def read_record(self, depth: int, kind: Mapping[str, Any]) -> str:
        self._records[kind["name"]] = kind
        maker = self._needed(kind["name"])
        values = []
        for field in kind["fields"]:
            name = self._new("Any", "None")
            self._read(depth, field["type"], name)
            values.append(name)
        return f"{maker}({', '.join(values)})"

    def _read(self, depth: int, kind: Any, name: str) -> None:  # noqa: ANN401 - likewise
        kind = self._resolved(kind)
        if shapes.is_optional(kind):
            self._byte(depth)
            self.add(depth, "if byte == 0:")
            self.add(depth + 1, f"{name} = None")
            self.add(depth, "else:")
            self.add(depth + 1, "if byte != 2:")
            self.add(depth + 2, "fail('branch')")
            self._read(depth + 1, kind[1], name)
        elif shapes.is_array(kind):
            count, item, items = self._new("i64", "0"), self._new("Any", "None"), self._new("list[Any]", "[]")
            self.add(depth, f"{items} = []")
            self.add(depth, f"{count}, at = get(data, at)")
            self.add(depth, f"while {count} != 0:")
            self.add(depth + 1, f"if {count} < 0:")
            self.add(depth + 2, f"{count} = -{count}")
            self.add(depth + 2, "number, at = get(data, at)")
            self.add(depth + 1, f"while {count} > 0:")
            self.add(depth + 2, f"{count} -= 1")
            self._read(depth + 2, kind["items"], item)
            self.add(depth + 2, f"{items}.append({item})")
            self.add(depth + 1, f"{count}, at = get(data, at)")
            self.add(depth, f"{name} = tuple({items})")
        elif shapes.is_record(kind):
            self.add(depth, f"{name} = {self.read_record(depth, kind)}")
        elif shapes.is_enum(kind):
            self.add(depth, "number, at = get(data, at)")
            self.add(depth, "if number < 0:")
            self.add(depth + 1, "fail('length')")
            self.add(depth, f"if number >= {len(kind['symbols'])}:")
            self.add(depth + 1, "fail('enum')")
            self.add(depth, f"{name} = {self._needed(tuple(kind['symbols']))}[number]")
        else:
            self._read_primitive(depth, name, kind)

    def _read_primitive(self, depth: int, name: str, kind: str) -> None:
        if kind == "boolean":
            self._byte(depth)
            self.add(depth, "if byte > 1:")
            self.add(depth + 1, "fail('boolean')")
            self.add(depth, f"{name} = byte == 1")
        elif kind in {"int", "long"}:
            self.add(depth, f"number, at = get{'_int' if kind == 'int' else ''}(data, at)")
            self.add(depth, f"{name} = number")
        else:
            self.add(depth, "end, at = get_length(data, at)")
            self.add(depth, "end += at")
            self.add(depth, f"{name} = data[at:end]{'.decode()' if kind == 'string' else ''}")
            self.add(depth, "at = end")

    def _byte(self, depth: int) -> None:
        self.add(depth, "byte = data[at]")
        self.add(depth, "at += 1")
