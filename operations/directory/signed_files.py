"""A directory on its way between the people who sign it: a DSSE envelope in a JSON file.

The payload is the document itself, byte for byte, so that everybody signs the same and any tool that knows
DSSE can check it.
"""

import base64
from pathlib import Path
from typing import Final

import msgspec

from casework import directory as directories
from casework.directory import Directory
from casework.dsse import DIRECTORY
from casework.errors import BROKEN_JSON, DirectoryRefusedError, RuleViolation, SetupError
from casework.messages import DirectoryDocument, DirectorySignature
from operations.atomic_files import write_whole
from streams.directory_versions import document_of

_MAX_BYTES: Final = 8 << 20


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload_type: str = msgspec.field(name="payloadType")
    payload: str
    signatures: tuple[_Signature, ...] = ()


def load(path: Path) -> tuple[DirectoryDocument, Directory]:
    """Read a signed file; whether the signatures are right is not looked at here.

    Raises:
        SetupError: It cannot be opened.
        DirectoryRefusedError: It is no envelope with a directory in it.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES)
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error
    try:
        envelope = msgspec.json.decode(text, type=_Envelope)
        document = base64.b64decode(envelope.payload, validate=True)
        signatures = tuple(
            DirectorySignature(key_id=one.keyid, signature=base64.b64decode(one.sig, validate=True))
            for one in envelope.signatures
        )
    except (*BROKEN_JSON, ValueError) as error:
        raise _refused("unreadable", "a signed directory, as 'hx directory draft' writes it") from error
    if envelope.payload_type != DIRECTORY:
        raise _refused("wrong_type", f"payloadType {DIRECTORY}")
    directory = directories.from_bytes(document)
    if directories.to_bytes(directory) != document:
        raise _refused("not_canonical", "the document as this program writes it")
    return msgspec.structs.replace(document_of(directory), signatures=signatures), directory


def save(path: Path, document: DirectoryDocument, *, is_new: bool) -> None:
    """Write a signed file at once.

    Raises:
        SetupError: It cannot be written, or is to be new and is there already.
    """
    envelope = _Envelope(
        payload_type=DIRECTORY,
        payload=base64.b64encode(document.document).decode(),
        signatures=tuple(
            _Signature(one.key_id, base64.b64encode(one.signature).decode()) for one in document.signatures
        ),
    )
    write_whole(path, msgspec.json.format(msgspec.json.encode(envelope)) + b"\n", is_new=is_new)


def _refused(rule: str, expected: str) -> DirectoryRefusedError:
    return DirectoryRefusedError([RuleViolation("file", rule, expected)])
