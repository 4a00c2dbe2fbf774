"""What a decision is made on, and the facts written because of it.

Every fact names the same cause in the same fields. They are filled here and nowhere else.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from casework.claimed_times import clamped
from casework.directory import EXCHANGE, Directory
from casework.events import Event, Source, Unpark, WakeUp
from casework.ids import derived_id
from casework.messages import (
    ActionStatement,
    Admitted,
    Case,
    Fact,
    ReportStatement,
    Submission,
    Waiting,
)
from casework.protection import sealed_of
from casework.sealed_content import key_marks
from casework.transitions import PLACES, RULES_VERSION


class Cause(msgspec.Struct, frozen=True, gc=False):
    """An input of a decision with the circumstances it is made in.

    Attributes:
        input_id: Event id of the submission or wake-up.
        sender: Member id of its sender; empty for a wake-up.
        now: Time of the decision; milliseconds since the epoch, UTC.
        occurred_at: Claimed time, clamped to the admission.
        submitted_at: Log-append time of the submission, real time.
        clock_skew: Whether a claimed time was clamped.
        environment: Environment of the exchange.
        url_key: Url key of the case.
        directory: Version stamped on the record.
        source: Where the admitted record stands.
        digest: SHA-256 of the statement; None for a wake-up.
        position: Position of the submission as topic/partition/offset; None for a wake-up.
        statement: Statement untouched.
        signature: Its signature.
        key_id: Key id of the signature.
        content_digest: Digest of the content, as in the statement; None where there is none.
        readers: Marks of the keys in the directory that open the content; None where it is clear or not here.
    """

    input_id: str
    sender: str
    now: int
    occurred_at: int
    submitted_at: int
    clock_skew: bool
    environment: str
    url_key: bytes
    directory: Directory
    source: Source
    digest: bytes | None = None
    position: str | None = None
    statement: bytes | None = None
    signature: bytes | None = None
    key_id: str | None = None
    content_digest: bytes | None = None
    readers: bytes | None = None


_BARE: Final = (WakeUp, Unpark)


def cause_of(event: Event, now: int, directory: Directory, source: Source) -> Cause:
    """Answer the cause that an event is."""
    admitted = event.admitted
    if isinstance(event, _BARE):
        return bare_cause(admitted, now, directory, source)
    submission = event.submission
    return Cause(
        input_id=admitted.event_id,
        sender=admitted.sender,
        now=now,
        occurred_at=clamped(event.statement.occurred_at, admitted.admitted_at),
        submitted_at=admitted.submitted_at,
        clock_skew=admitted.clock_skew,
        environment=admitted.environment,
        url_key=admitted.url_key,
        directory=directory,
        source=source,
        digest=hashlib.sha256(submission.statement).digest(),
        position=f"{admitted.source_topic}/{admitted.source_partition}/{admitted.source_offset}",
        statement=submission.statement,
        signature=submission.signature,
        key_id=submission.key_id,
        content_digest=event.statement.content_digest,
        readers=readers_in(event.statement, submission, directory),
    )


def readers_in(
    statement: ReportStatement | ActionStatement, submission: Submission, directory: Directory
) -> bytes | None:
    """Answer the marks of the keys that open a submission's content, as far as the directory lists them.

    Others are left out: a sender may name any number of keys that nobody has.
    """
    sealed = sealed_of(statement, submission)
    if sealed is None:
        return None
    listed = directory.keys_by_id
    return key_marks(key_id for key_id in sealed.key_ids if key_id in listed)


def bare_cause(admitted: Admitted, now: int, directory: Directory, source: Source) -> Cause:
    """Answer the cause that a record is without a submission, or when nobody looks into it."""
    return Cause(
        input_id=admitted.event_id,
        sender=admitted.sender,
        now=now,
        occurred_at=now,
        submitted_at=admitted.submitted_at,
        clock_skew=False,
        environment=admitted.environment,
        url_key=admitted.url_key,
        directory=directory,
        source=source,
    )


def waiting_cause(waiting: Waiting, trigger: Cause) -> Cause:
    """Answer the cause that a waiting action is, decided in the circumstances of the record that ends it."""
    return msgspec.structs.replace(
        trigger,
        input_id=waiting.event_id,
        sender=waiting.sender,
        occurred_at=waiting.occurred_at,
        submitted_at=waiting.submitted_at,
        clock_skew=waiting.clock_skew,
        digest=waiting.input_digest,
        position=waiting.input_position,
        statement=waiting.statement,
        signature=waiting.signature,
        key_id=waiting.key_id,
        content_digest=None,
        readers=None,
    )


def new_case_id(cause: Cause) -> str:
    """Answer the id of a case that begins with a submission.

    Its time is part of it, because an action that waited in vain leaves no case, and may be sent once more.
    """
    return derived_id(cause.input_id, f"case.{cause.now}", cause.url_key.hex())


_PLACING: Final = PLACES | {"opened", "reopened"}
_AT: Final = {name: place for place, name in enumerate(Fact.__struct_fields__)}
"""Place of each field of a fact: facts have some fifty, and are made by position because that is fast."""
_CASE_ID: Final = _AT["case_id"]
_URL_KEY: Final = _AT["url_key"]
_NUMBER: Final = _AT["number"]
_FACT: Final = _AT["fact"]
_ROUND: Final = _AT["round"]
_LEG: Final = _AT["leg"]
_FACT_ID: Final = _AT["fact_id"]
_INPUT_ID: Final = _AT["input_id"]
_ENVIRONMENT: Final = _AT["environment"]
_BY: Final = _AT["by"]
_OCCURRED_AT: Final = _AT["occurred_at"]
_ADMITTED_AT: Final = _AT["admitted_at"]
_SUBMITTED_AT: Final = _AT["submitted_at"]
_CLOCK_SKEW: Final = _AT["clock_skew"]
_DIRECTORY_VERSION: Final = _AT["directory_version"]
_HOSTING_COUNTRY: Final = _AT["hosting_country"]
_ASSIGNED_COUNTRY: Final = _AT["assigned_country"]
_ASSIGNED_HOTLINE: Final = _AT["assigned_hotline"]
_DIGEST: Final = _AT["input_digest"]
_POSITION: Final = _AT["input_position"]
_SOURCE_TOPIC: Final = _AT["source_topic"]
_SOURCE_PARTITION: Final = _AT["source_partition"]
_SOURCE_OFFSET: Final = _AT["source_offset"]
_STATEMENT: Final = _AT["statement"]
_SIGNATURE: Final = _AT["signature"]
_KEY_ID: Final = _AT["key_id"]
_BLANK: Final = list(
    msgspec.structs.astuple(
        Fact(
            case_id="", url_key=b"", number=0, fact="", round=0, leg=0, fact_id="", input_id="",
            environment="", by="", occurred_at=0, admitted_at=0, submitted_at=0, directory_version=0,
            rules_version=RULES_VERSION, source_topic="", source_partition=0, source_offset=0,
        )
    )
)  # fmt: skip
_fact = cast("Callable[..., Fact]", Fact)


class Draft:
    """The facts of one decision while it is made; numbers follow on those of the case.

    Each fact says where the case is after it, so that statistics need no state.
    """

    def __init__(self, case: Case | None, cause: Cause) -> None:
        self.facts: list[Fact] = []
        self.cause = cause
        self._case_id = new_case_id(cause) if case is None else case.case_id
        self._number = 0 if case is None else case.number
        self._round = 0 if case is None else case.round
        self._leg = 0 if case is None else case.leg
        source = cause.source
        self._values = values = _BLANK.copy()
        values[_CASE_ID] = self._case_id
        values[_URL_KEY] = cause.url_key
        values[_INPUT_ID] = cause.input_id
        values[_ENVIRONMENT] = cause.environment
        values[_ADMITTED_AT] = cause.now
        values[_SUBMITTED_AT] = cause.submitted_at
        values[_DIRECTORY_VERSION] = cause.directory.version
        values[_SOURCE_TOPIC] = source.topic
        values[_SOURCE_PARTITION] = source.partition
        values[_SOURCE_OFFSET] = source.offset
        if case is not None and case.round:
            self._place(values, case.hosting_country, case.assigned_country, case.assigned_hotline)

    def by_sender(self, fact: str, **details: Any) -> None:  # noqa: ANN401 - fields of Fact, typed there
        """Add what the sender stated: it carries the signed statement and marks the submission as seen."""
        cause, values = self.cause, self._next(fact, details)
        values[_BY] = cause.sender
        values[_OCCURRED_AT] = cause.occurred_at
        values[_CLOCK_SKEW] = cause.clock_skew
        values[_DIGEST] = cause.digest
        values[_POSITION] = cause.position
        values[_STATEMENT] = cause.statement
        values[_SIGNATURE] = cause.signature
        values[_KEY_ID] = cause.key_id
        self._add(fact, values, details)

    def by_rule(self, fact: str, **details: Any) -> None:  # noqa: ANN401 - fields of Fact, typed there
        """Add what follows from a rule; the actor is the exchange unless `by` names another.

        Whatever closes a round, its contents are to be erased a time after.
        """
        if fact == "closed":
            details["erase_at"] = self.cause.now + self.cause.directory.casework.erase_ms
        values = self._next(fact, details)
        values[_BY] = EXCHANGE
        values[_OCCURRED_AT] = self.cause.now
        self._add(fact, values, details)

    def _next(self, fact: str, details: dict[str, Any]) -> list[Any]:
        """Answer the values that a fact shares with those before it, placed where it places the case."""
        if fact in _PLACING:
            where = details["hosting_country"], details["assigned_country"], details.get("assigned_hotline")
            self._place(self._values, *where)
        return self._values.copy()

    def _add(self, fact: str, values: list[Any], details: dict[str, Any]) -> None:
        if "leg" in details:
            self._round = details.pop("round", self._round)
            self._leg = details.pop("leg")
        for name, value in details.items():
            values[_AT[name]] = value
        number = self._number + len(self.facts) + 1
        values[_NUMBER] = number
        values[_FACT] = fact
        values[_ROUND] = self._round
        values[_LEG] = self._leg
        values[_FACT_ID] = derived_id(self.cause.input_id, f"fact.{fact}.{number}", self._case_id)
        self.facts.append(_fact(*values))

    @staticmethod
    def _place(values: list[Any], host: str, country: str | None, hotline: str | None) -> None:
        values[_HOSTING_COUNTRY] = host
        values[_ASSIGNED_COUNTRY] = country
        values[_ASSIGNED_HOTLINE] = hotline
