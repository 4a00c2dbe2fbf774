"""What a decision is made on, and the facts written because of it.

Every fact names the same cause in the same fields. They are filled here and nowhere else.
"""

import hashlib
from typing import Any, Final

import msgspec

from casework.claimed_times import clamped
from casework.directory import Directory
from casework.events import Event, Source, Unpark, WakeUp
from casework.ids import derived_id
from casework.messages import Admitted, Case, Fact, Waiting
from casework.transitions import RULES_VERSION

EXCHANGE: Final = "exchange"
"""Who did what follows from a rule; no member id, because those hold a hyphen."""


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


def cause_of(event: Event, now: int, directory: Directory, source: Source) -> Cause:
    """Answer the cause that an event is."""
    admitted = event.admitted
    if isinstance(event, WakeUp | Unpark):
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
    )


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
    )


def new_case_id(cause: Cause) -> str:
    """Answer the id of a case that begins with a submission.

    Its time is part of it, because an action that waited in vain leaves no case, and may be sent once more.
    """
    return derived_id(cause.input_id, f"case.{cause.now}", cause.url_key.hex())


_PLACING: Final = frozenset({"opened", "reopened", "assigned", "orphaned"})
_NOWHERE: Final[dict[str, str | None]] = dict.fromkeys(
    ("hosting_country", "assigned_country", "assigned_hotline")
)


def _where_is(case: Case) -> dict[str, str | None]:
    return {
        "hosting_country": case.hosting_country,
        "assigned_country": case.assigned_country,
        "assigned_hotline": case.assigned_hotline,
    }


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
        self._where = _NOWHERE if case is None or case.round == 0 else _where_is(case)
        source = cause.source
        self._shared = {
            "case_id": self._case_id,
            "url_key": cause.url_key,
            "input_id": cause.input_id,
            "environment": cause.environment,
            "admitted_at": cause.now,
            "submitted_at": cause.submitted_at,
            "directory_version": cause.directory.version,
            "rules_version": RULES_VERSION,
            "source_topic": source.topic,
            "source_partition": source.partition,
            "source_offset": source.offset,
        }

    def by_sender(self, fact: str, **details: Any) -> None:  # noqa: ANN401 - fields of Fact, typed there
        """Add what the sender stated: it carries the signed statement and marks the submission as seen."""
        cause = self.cause
        stated = {
            "by": cause.sender,
            "occurred_at": cause.occurred_at,
            "clock_skew": cause.clock_skew,
            "input_digest": cause.digest,
            "input_position": cause.position,
            "statement": cause.statement,
            "signature": cause.signature,
            "key_id": cause.key_id,
        }
        self._add(fact, stated, details)

    def by_rule(self, fact: str, **details: Any) -> None:  # noqa: ANN401 - fields of Fact, typed there
        """Add what follows from a rule; the actor is the exchange unless `by` names another."""
        self._add(fact, {"by": EXCHANGE, "occurred_at": self.cause.now}, details)

    def _add(self, fact: str, stated: dict[str, Any], details: dict[str, Any]) -> None:
        if fact in _PLACING:
            self._where = {
                "hosting_country": details["hosting_country"],
                "assigned_country": details["assigned_country"],
                "assigned_hotline": details.get("assigned_hotline"),
            }
        if "leg" in details:
            self._round = details.pop("round", self._round)
            self._leg = details.pop("leg")
        number = self._number + len(self.facts) + 1
        self.facts.append(
            Fact(
                number=number,
                fact=fact,
                round=self._round,
                leg=self._leg,
                fact_id=derived_id(self.cause.input_id, f"fact.{fact}.{number}", self._case_id),
                **{**self._shared, **self._where, **stated, **details},
            )
        )
