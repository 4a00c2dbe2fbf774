"""Functions of schemas/native_source.py, where `python -m schemas.build_native` has compiled them.

A function is found by the hash of its source, so a build of other schemas, or of another version of this
program, is passed over; the same functions then run as Python.
"""

import functools
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from schemas.errors import BrokenLockError
from schemas.native_source import NativeFunction, native_reader, native_writer

MODULE = "schemas.native_codec"


def is_built() -> bool:
    """Answer whether there is a build, whatever its schemas."""
    return importlib.util.find_spec(MODULE) is not None


def writer(declaration: Mapping[str, Any], header: bytes) -> Callable[[Any], bytes] | None:
    """Return the built writer of a record, or None where there is none."""
    wanted = native_writer(declaration)
    found = _found(wanted)
    return None if found is None else functools.partial(found, header, wanted.given)


def reader(
    declaration: Mapping[str, Any], constructors: Mapping[str, Callable[..., Any]]
) -> Callable[[bytes, int], tuple[Any, int]] | None:
    """Return the built reader of a record, or None where there is none.

    Raises:
        BrokenLockError: Nothing makes values of one of its records.
    """
    wanted = native_reader(declaration)
    found = _found(wanted)
    return None if found is None else functools.partial(found, makers_of(wanted, constructors))


def makers_of(function: NativeFunction, constructors: Mapping[str, Callable[..., Any]]) -> tuple[object, ...]:
    """Return what a reader is given: what makes its records, and the symbols of its enums.

    Raises:
        BrokenLockError: Nothing makes values of one of its records.
    """
    for name in function.given:
        if isinstance(name, str) and name not in constructors:
            raise BrokenLockError(f"nothing makes values of the record {name}")
    return tuple(constructors[name] if isinstance(name, str) else name for name in function.given)


def _found(function: NativeFunction) -> Callable[..., Any] | None:
    module = _module()
    return None if module is None else getattr(module, function.name, None)


@functools.cache
def _module() -> ModuleType | None:
    return importlib.import_module(MODULE) if is_built() else None
