"""What exactly is signed: the type of a message and its bytes, kept apart by their lengths.

The pre-authentication encoding of DSSE (Dead Simple Signing Envelope, protocol version 1). A signature over a
report can therefore never be shown as one over an action, a delivery or a directory, and the bytes need no
canonical form.
"""

from typing import Final

REPORT_STATEMENT: Final = "application/vnd.hotline-exchange.report-statement.v1+avro"
ACTION_STATEMENT: Final = "application/vnd.hotline-exchange.action-statement.v1+avro"
EXCHANGE_MESSAGE: Final = "application/vnd.hotline-exchange.message.v1+avro"
DIRECTORY: Final = "application/vnd.hotline-exchange.directory.v1+json"
EVIDENCE: Final = "application/vnd.hotline-exchange.evidence.v1+json"

_STATEMENTS: Final = {"report": REPORT_STATEMENT, "action": ACTION_STATEMENT}


def pae(payload_type: str, payload: bytes) -> bytes:
    """Answer `DSSEv1 SP LEN(type) SP type SP LEN(payload) SP payload`, lengths in decimal ASCII."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def signed_statement(kind: str, statement: bytes) -> bytes:
    """Answer what a member signs: the statement's bytes as a `report` or an `action`."""
    return pae(_STATEMENTS[kind], statement)
