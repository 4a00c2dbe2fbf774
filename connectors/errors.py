"""What can go wrong for a member's client, grouped by what the caller must do.

Each error also belongs to the group of `casework.errors` in brackets.

ClientError
├── DraftRefusedError         (BadInputError)   correct the draft; nothing was sent, field and rule are named
├── UnreadableContentError    (BadInputError)   not yours to read, or changed on the way; the rule says which
├── UnprovenMessageError      (BadInputError)   do not act on it: nobody's signature proves who said it
├── UrlKeyMismatchError       (BadInputError)   filed under another address than it names; tell its origin
├── ReportRefusedError        (BadInputError)   correct the report; the exchange refused what an action names
├── NotConfirmedError         (TemporaryError)  send the same `prepared` again: it may or may not have arrived
├── NoReceiptError            (TemporaryError)  wait again; the receipt also comes through the inbox
├── ExchangeUnreachableError  (TemporaryError)  try again later; nothing was changed
├── SealError                 (SetupError)      have the directory list your key, or mend the ring
├── AccessDeniedError         (SetupError)      have the operator grant the right, or correct the credentials
├── TopicMissingError         (SetupError)      check the topic prefix; have the operator provision
├── PositionsError            (SetupError)      repair or move the file of positions
├── PositionLostError         (SetupError)      have the inbox sent again, then reset the positions
├── StaleDirectoryError       (SetupError)      publish a directory for this environment; it names the member
└── MisuseError               (BugError)        correct the program: it breaks a duty of the client's contract

Texts name topics, fields and rules, never an address, a note or a key.
"""

from collections.abc import Iterable

from casework.errors import (
    BadInputError,
    BugError,
    HotlineExchangeError,
    RuleViolation,
    SetupError,
    TemporaryError,
)
from casework.messages import Receipt


class ClientError(HotlineExchangeError):
    """Root of what the member's client raises on purpose."""


class DraftRefusedError(ClientError, BadInputError):
    """The draft breaks rules that the exchange would refuse it for; nothing was sent.

    Attributes:
        violations: Field, rule and expectation, the gravest first.
        police_contact: Whom to call instead, when a child may be in danger and there is no address to act on.
    """

    def __init__(self, violations: Iterable[RuleViolation], police_contact: str | None = None) -> None:
        super().__init__(violations)
        self.police_contact = police_contact
        if police_contact is not None:
            self.args = (f"{self.args[0]}; contact: {police_contact}",)


class ReportRefusedError(ClientError, BadInputError):
    """The report that an action names was refused, so the action was not sent.

    Attributes:
        receipt: The exchange's answer to the report.
    """

    def __init__(self, receipt: Receipt) -> None:
        rule = receipt.rule or receipt.outcome
        super().__init__(
            RuleViolation("report_event_id", rule, f"that report was answered {receipt.outcome}")
        )
        self.receipt = receipt


class UnreadableContentError(ClientError, BadInputError):
    """Sealed content does not open: this ring is no reader of it, it belongs elsewhere, or it was changed."""


class UnprovenMessageError(ClientError, BadInputError):
    """No valid signature proves that a statement is by the member it names, or is over this content."""


class UrlKeyMismatchError(ClientError, BadInputError):
    """The address in the content has another url key than the statement it came with.

    The report was filed with the case of another address, by mistake or on purpose.
    """


class SealError(ClientError, SetupError):
    """Content cannot be sealed or a statement cannot be signed with the keys at hand; nothing was sent."""


class NotConfirmedError(ClientError, TemporaryError):
    """The broker did not confirm a send; only the same event id sent again is certain not to count twice.

    Attributes:
        prepared: What was sent; give it to `send` again.
    """

    def __init__(self, reason: str, prepared: object) -> None:
        super().__init__(f"not confirmed ({reason}): send the same prepared submission again")
        self.prepared = prepared


class NoReceiptError(ClientError, TemporaryError):
    """The exchange did not answer within the time given; the submission itself is safe in Kafka."""


class ExchangeUnreachableError(ClientError, TemporaryError):
    """No broker answered."""


class AccessDeniedError(ClientError, SetupError):
    """The broker knows the client and refuses it this topic or group, or does not accept its credentials."""


class TopicMissingError(ClientError, SetupError):
    """A topic that the client needs does not exist."""


class PositionsError(ClientError, SetupError):
    """The file of positions cannot be used: not ours, of another layout, open elsewhere, or not writable."""


class PositionLostError(ClientError, SetupError):
    """The saved position lies outside the topic: messages expired unread, or the topic was made anew."""


class StaleDirectoryError(ClientError, SetupError):
    """The directory in use is not of this environment, or does not list the member."""


class MisuseError(ClientError, BugError):
    """The program does what the client's contract forbids."""
