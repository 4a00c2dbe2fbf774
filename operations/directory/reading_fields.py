"""Reading the values of the directory file one by one, so that every slip is told and none hides another."""

import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from casework.directory import DAY_MS, HOUR_MS
from casework.directory_keys import NetworkKeys, Signers
from casework.errors import RuleViolation
from casework.public_keys import PublicKey

_DURATION: Final = re.compile(r"(\d+) ?(min|h|d)")
_UNITS: Final = {"min": HOUR_MS // 60, "h": HOUR_MS, "d": DAY_MS}
_SIGNERS: Final = ("threshold", "keys")
_TIMES: Final = ("valid_from", "valid_until", "revoked_at")
_KEY_FIELDS: Final = PublicKey.__struct_fields__


class FieldReader:
    """Turns values of the file into those of the model and collects what does not fit.

    Attributes:
        violations: What does not fit.
    """

    def __init__(self) -> None:
        self.violations: list[RuleViolation] = []

    def mapping(self, path: str, value: object) -> dict[str, Any]:
        """Read a mapping whose keys are words."""
        if not isinstance(value, CommentedMap):
            if value is not None:
                self.add(path, "wrong_type", "must be a mapping")
            return {}
        for key in value:
            if not isinstance(key, str):
                self.add(path, "wrong_type", "keys must be words; quote those that read as numbers")
        return {key: each for key, each in value.items() if isinstance(key, str)}

    def fields(
        self, path: str, value: object, known: Iterable[str], required: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Read a mapping with known names; answer those that are given."""
        given = self.mapping(path, value)
        prefix = path and f"{path}."
        names = list(known)
        for name in given:
            if name not in names:
                self.add(f"{prefix}{name}", "unknown_field", f"known: {', '.join(names)}")
        for name in required:
            if given.get(name) is None:
                self.add(f"{prefix}{name}", "missing", "must be given")
        return {name: each for name, each in given.items() if name in names and each is not None}

    def convert(self, path: str, value: object, kind: Any) -> Any:  # noqa: ANN401 - msgspec types are values
        """Answer a value as a type, or None with a violation."""
        if value is None:
            return None
        try:
            return msgspec.convert(_plain(value), kind)
        except msgspec.ValidationError as error:
            self.add(path, "wrong_type", str(error))
            return None

    def duration(self, path: str, value: object) -> int | None:
        """Read a duration with its unit; milliseconds."""
        match = _DURATION.fullmatch(str(value))
        if match is None:
            self.add(path, "malformed", "must be whole minutes, hours or days, such as 30 min, 24 h or 7 d")
            return None
        return int(match[1]) * _UNITS[match[2]]

    def durations(self, path: str, value: object, kind: type[Any]) -> Any:  # noqa: ANN401 - an instance of kind
        """Read a mapping of durations, named without their unit, and of numbers that are none."""
        known = {field.removesuffix("_ms"): field for field in kind.__struct_fields__}
        found = {}
        for name, given in self.fields(path, value, known).items():
            is_duration = known[name] != name
            each = f"{path}.{name}"
            read = self.duration(each, given) if is_duration else self.convert(each, given, int)
            if read is not None:
                found[known[name]] = read
        return kind(**found)

    def add(self, path: str, rule: str, message: str) -> None:
        """Note what does not fit."""
        self.violations.append(RuleViolation(path, rule, message))


class KeyReader(FieldReader):
    """Reads keys, signers, times and the file with the sealed network keys.

    Args:
        beside: Folder of the directory file.
    """

    def __init__(self, beside: Path) -> None:
        super().__init__()
        self._beside = beside

    def keys(self, path: str, value: object) -> tuple[PublicKey, ...]:
        """Read a list of keys."""
        if not isinstance(value, CommentedSeq | tuple):
            self.add(path, "wrong_type", "must be a list of keys, as 'hx keys new' prints them")
            return ()
        found = (self._key(f"{path}[{index}]", each) for index, each in enumerate(value))
        return tuple(key for key in found if key is not None)

    def _key(self, path: str, value: object) -> PublicKey | None:
        fields = self.fields(path, value, _KEY_FIELDS, required=("id", "use", "public", "valid_from"))
        for name in _TIMES:
            if name in fields:
                fields[name] = self.time(f"{path}.{name}", fields[name])
        converted: PublicKey | None = self.convert(path, fields, PublicKey)
        return converted

    def signers(self, path: str, value: object) -> Signers | None:
        """Read the signers and their threshold; None where there are none."""
        if value is None:
            return None
        fields = self.fields(path, value, _SIGNERS, required=_SIGNERS)
        entries = self.mapping(f"{path}.keys", fields.get("keys"))
        keys = {name: self._key(f"{path}.keys.{name}", each) for name, each in entries.items()}
        threshold = self.convert(f"{path}.threshold", fields.get("threshold"), int)
        return Signers(threshold or 0, {name: key for name, key in keys.items() if key is not None})

    def network_keys(self, path: str, value: object) -> NetworkKeys | None:
        """Read the file beside the directory file: sealed keys are long, and no person writes them."""
        if value is None:
            return None
        if not isinstance(value, str) or Path(value).name != value:
            self.add(path, "wrong_type", "must be the name of a file beside this one")
            return None
        try:
            return msgspec.json.decode((self._beside / value).read_bytes(), type=NetworkKeys)
        except OSError as error:
            self.add(path, "unreadable", f"the file is needed: {error.strerror}")
        except msgspec.DecodeError:
            self.add(path, "unreadable", "the file must be one that 'hx keys network' wrote")
        return None

    def time(self, path: str, value: object) -> int | None:
        """Read a time with its zone; milliseconds since the epoch, UTC."""
        if value is None:
            return None
        try:
            at = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            self.add(path, "malformed", "must be a time in UTC, such as 2026-11-28T12:00:00Z")
            return None
        return round(at.timestamp() * 1000)


def _plain(value: object) -> object:
    """Answer the value without the wrappers that carry comments."""
    if isinstance(value, CommentedMap | dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, CommentedSeq):
        return [_plain(each) for each in value]
    if isinstance(value, str):
        return str(value)
    return int(value) if type(value) is not bool and isinstance(value, int) else value
