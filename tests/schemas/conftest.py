"""What the schema tests share: records of any schema, Apache Avro as second library, a contract to change."""

import io
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import pytest
from hypothesis import strategies as st

from schemas.registry import AVRO_DIRECTORY

Records = Callable[[Mapping[str, Any]], st.SearchStrategy[dict[str, object]]]


def values(kind: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - a type is any JSON
    """Return a strategy for values of an Avro type."""
    if isinstance(kind, list):
        return st.one_of([values(branch) for branch in kind])
    if isinstance(kind, dict) and kind["type"] == "record":
        return records(kind)
    if isinstance(kind, dict) and kind["type"] == "array":
        return st.lists(values(kind["items"]), max_size=3)
    if isinstance(kind, dict):
        return st.sampled_from(kind["symbols"])
    return {
        "null": st.none(),
        "boolean": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "string": st.text(max_size=80),
        "bytes": st.binary(max_size=80),
    }[kind]


def records(declaration: Mapping[str, Any]) -> st.SearchStrategy[dict[str, object]]:
    """Return a strategy for records of a schema."""
    return st.fixed_dictionaries({field["name"]: values(field["type"]) for field in declaration["fields"]})


class ApacheAvro:
    """Apache Avro's own library as the second opinion."""

    def __init__(self, declaration: Mapping[str, Any]) -> None:
        self.schema = avro.schema.parse(json.dumps(declaration))

    def write(self, record: Mapping[str, object]) -> bytes:
        """Return the bytes of a record without frame."""
        buffer = io.BytesIO()
        avro.io.DatumWriter(self.schema).write(dict(record), avro.io.BinaryEncoder(buffer))
        return buffer.getvalue()

    def read(self, payload: bytes, newest: "ApacheAvro | None" = None) -> dict[str, object]:
        """Return the record in bytes without frame, read into another schema where one is given."""
        reader = avro.io.DatumReader(self.schema, (newest or self).schema)
        record = reader.read(avro.io.BinaryDecoder(io.BytesIO(payload)))
        assert isinstance(record, dict)
        return record


@pytest.fixture(scope="session")
def any_record() -> Records:
    """Return the function schema -> strategy for its records."""
    return records


@pytest.fixture(scope="session")
def apache_avro() -> type[ApacheAvro]:
    """Return Apache Avro's library, to be made with a schema."""
    return ApacheAvro


class Contract:
    """A copy of the contract that a test may change."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def change(self, file: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Let a function change one schema in place."""
        path = self.directory / file
        declaration = json.loads(path.read_text(encoding="utf-8"))
        change(declaration)
        path.write_text(json.dumps(declaration), encoding="utf-8")


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    """Return a copy of the installed contract in a folder of its own."""
    shutil.copytree(AVRO_DIRECTORY, tmp_path / "avro")
    return Contract(tmp_path / "avro")
