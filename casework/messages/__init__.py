"""The messages between members, exchange and police, as typed values.

Field names are those of the Avro schemas in schemas/avro, which are the contract; a test holds both together.
Rules work on these values and never on Avro. Fact is the schema CaseEvent, Case the schema CaseStatus.
"""

from casework.messages.admitted import Admitted, Unparking
from casework.messages.answers import Delivery, Escalation, Receipt
from casework.messages.base import Message
from casework.messages.case_parts import (
    Asked,
    DeliveryCount,
    Hold,
    HoldRequest,
    HostDoubt,
    KeptRewrap,
    KnownReport,
    Lease,
    Move,
    OpenEscalation,
    Origin,
    Preservation,
    Seen,
    Stated,
    Waiting,
)
from casework.messages.cases import Case, CaseContent, CaseStub
from casework.messages.facts import ActionDetails, Deadlines, Fact, Parked
from casework.messages.records import (
    DeadLetterHeaders,
    DirectoryDocument,
    DirectorySignature,
    JournalEntry,
)
from casework.messages.submissions import (
    ActionContent,
    ActionStatement,
    Label,
    ReportContent,
    ReportCredentials,
    ReportStatement,
    Submission,
)

__all__ = [
    "ActionContent",
    "ActionDetails",
    "ActionStatement",
    "Admitted",
    "Asked",
    "Case",
    "CaseContent",
    "CaseStub",
    "DeadLetterHeaders",
    "Deadlines",
    "Delivery",
    "DeliveryCount",
    "DirectoryDocument",
    "DirectorySignature",
    "Escalation",
    "Fact",
    "Hold",
    "HoldRequest",
    "HostDoubt",
    "JournalEntry",
    "KeptRewrap",
    "KnownReport",
    "Label",
    "Lease",
    "Message",
    "Move",
    "OpenEscalation",
    "Origin",
    "Parked",
    "Preservation",
    "Receipt",
    "ReportContent",
    "ReportCredentials",
    "ReportStatement",
    "Seen",
    "Stated",
    "Submission",
    "Unparking",
    "Waiting",
]
