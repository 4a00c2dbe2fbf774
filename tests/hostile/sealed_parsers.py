"""Parsers of sealed content, from the first glance to its opening, and of signatures."""

from typing import Any

from parser_promises import MARK, Parser
from sound_messages import (
    CLEAR,
    DIRECTORY,
    EQUIPMENT,
    NOW,
    READER,
    READERS,
    SEALED,
    SENDER,
    SIGNER,
    SMALL,
    STATEMENT,
    STATEMENTS,
)

from casework.dsse import signed_statement
from casework.errors import BadInputError
from casework.protection import binding_of
from casework.sealed_content import parse, to_bytes
from casework.sealed_glance import Glance, glance
from casework.signatures import check_signature
from connectors.errors import UnreadableContentError
from connectors.sealing import open_sealed


def _sealed_holds(data: bytes, sealed: Any) -> None:  # noqa: ANN401 - sealed content
    assert to_bytes(sealed) == data


def _glance(data: bytes) -> Glance:
    """Read sealed content by the pattern; what it takes, the parser takes and sees alike."""
    try:
        sealed = parse(data)
    except BadInputError:
        sealed = None
    try:
        seen = glance(data)
    except BadInputError:
        assert sealed is None
        raise
    assert sealed is not None
    assert seen == Glance(sealed.key_ids, sealed.digest, sealed.aad)
    return seen


def _open(data: bytes) -> bytes:
    return open_sealed(parse(data), EQUIPMENT.rings[READER], binding_of(STATEMENT))


def _opened_holds(data: bytes, clear: bytes) -> None:
    known = {SEALED.digest: CLEAR, SMALL.digest: b"x"}
    assert known[parse(data).digest] == clear


SIGNED = STATEMENTS[0]
SIGNATURE = SIGNER.sign(signed_statement("report", SIGNED))


def _signature(data: bytes) -> bool:
    signature, key_id, statement = data[:64], data[64:107], data[107:]
    violation = check_signature(
        DIRECTORY,
        SENDER,
        message=signed_statement("report", statement),
        signature=signature,
        key_id=key_id.decode("ascii", "replace"),
        signed_at=NOW,
    )
    assert violation is None or MARK not in str(violation)
    return violation is None


def _signature_holds(data: bytes, proven: bool) -> None:
    assert not proven or data[107:] == SIGNED


PARSERS = (
    Parser("sealed content at a glance", (to_bytes(SEALED), to_bytes(SMALL)), _glance, (BadInputError,)),
    Parser("sealed content", (to_bytes(SEALED), to_bytes(SMALL)), parse, (BadInputError,), _sealed_holds),
    Parser(
        "opening",
        (to_bytes(SEALED), to_bytes(SMALL)),
        _open,
        (BadInputError, UnreadableContentError),
        _opened_holds,
    ),
    Parser(
        "signatures",
        (SIGNATURE + SIGNER.key_id.encode() + SIGNED, bytes(64) + READERS[0].id.encode() + SIGNED),
        _signature,
        (),
        _signature_holds,
    ),
)
