"""Parsers of directories: documents, records, what the topic hands over, and signed files."""

from types import SimpleNamespace
from typing import Any

import msgspec
from parser_promises import HOME, Parser, in_file
from sound_messages import DIRECTORY, EQUIPMENT, NOW

from casework import directory as directories
from casework.directory import Directory
from casework.directory_checks import check
from casework.errors import DirectoryRefusedError
from operations.directory import signed_files
from schemas.errors import UnreadableError
from streams import wire
from streams.clock import ManualClock
from streams.directory_versions import DirectoryVersions, read_document


def _directory_holds(data: bytes, directory: Directory) -> None:
    # A document of an older version lacks the newest fields: it is canonical as what it says itself.
    said = msgspec.json.decode(data)
    assert msgspec.json.encode(said, order="sorted") == data
    _says_all(msgspec.json.decode(directories.to_bytes(directory)), said)
    check(directory)


def _says_all(whole: Any, said: Any) -> None:  # noqa: ANN401 - any JSON
    """Hold what a document says against the whole of what was read; fields at their default may be absent."""
    if isinstance(said, dict):
        for name, value in said.items():
            _says_all(whole[name], value)
    elif isinstance(said, list):
        for one, other in zip(whole, said, strict=True):
            _says_all(one, other)
    else:
        assert whole == said


def _document_holds(_data: bytes, read: Any) -> None:  # noqa: ANN401 - document and directory
    _directory_holds(read[0].document, read[1])


def _take(data: bytes) -> object:
    versions = DirectoryVersions("test", ManualClock(NOW), EQUIPMENT.anchor)
    return versions.take(SimpleNamespace(value=data, offset=1, timestamp=NOW))


def _taken_holds(data: bytes, directory: Directory | None) -> None:
    assert directory is None or directory == DIRECTORY
    assert data is not None


def _signed_file() -> bytes:
    path = HOME / "sound.json"
    if not path.exists():
        signed_files.save(path, EQUIPMENT.signed(), is_new=True)
    return path.read_bytes()


PARSERS = (
    Parser(
        "directory",
        (directories.to_bytes(DIRECTORY),),
        directories.from_bytes,
        (DirectoryRefusedError,),
        _directory_holds,
    ),
    Parser(
        "directory records",
        (wire.encode(EQUIPMENT.signed()),),
        lambda data: read_document(data, "test"),
        (UnreadableError, DirectoryRefusedError),
        _document_holds,
    ),
    Parser("directory topic", (wire.encode(EQUIPMENT.signed()),), _take, (), _taken_holds),
    Parser(
        "signed directory file",
        (_signed_file(),),
        in_file("signed.json", signed_files.load),
        (DirectoryRefusedError,),
    ),
)
