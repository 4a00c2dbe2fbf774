"""The answer to a submission and the receipt that carries it; each submission gets one that decides.

A refusal tells nothing about the case, because its sender may be a stranger to it.
"""

import msgspec

from casework.causes import Cause
from casework.errors import RuleViolation
from casework.ids import derived_id_for_url
from casework.messages import Case, Fact, Receipt
from casework.postings import Posting
from casework.states import CLOSED


class Answer(msgspec.Struct, frozen=True):
    """What the exchange answers.

    Attributes:
        outcome: accepted, duplicate, refused or not_applicable.
        rule: Rule that was broken, or by which nothing changes.
        field: Field that broke it.
        message: One sentence naming both; never a value.
        kind: Kind in the receipt's id. A refusal that left no trace in a case may be followed by another
            answer to the same submission, so the two differ; so do the answers to copies.
    """

    outcome: str
    rule: str | None = None
    field: str | None = None
    message: str | None = None
    kind: str = "receipt"


ACCEPTED = Answer("accepted")
DUPLICATE = Answer(
    "duplicate", "duplicate", "event_id", "This submission was taken before.", "receipt.duplicate"
)


def refused(rule: str, field: str, message: str) -> Answer:
    """Answer a refusal, worded as intake words its own."""
    return Answer("refused", rule, field, str(RuleViolation(field, rule, message)), f"receipt.refused.{rule}")


def not_applicable(rule: str, field: str, message: str) -> Answer:
    """Answer that a submission is valid and there is nothing it could change."""
    return Answer("not_applicable", rule, field, message)


def id_reused(digest: bytes) -> Answer:
    """Answer the refusal of another statement under an id in use; the first one keeps its own receipt."""
    message = "This event_id belongs to another statement; every submission needs an id of its own."
    return Answer("refused", "id_reused", "event_id", message, f"receipt.id_reused.{digest.hex()}")


def receipt(answer: Answer, case: Case | None, facts: tuple[Fact, ...], cause: Cause) -> Posting:
    """Answer the receipt of a submission.

    Args:
        answer: What it says.
        case: The case after the submission.
        facts: Facts the submission caused.
        cause: The submission.
    """
    shown = case if answer.outcome != "refused" else None
    return Posting(
        recipient=cause.sender,
        inbox="inbox",
        is_urgent=False,
        body=Receipt(
            event_id=cause.input_id,
            recipient=cause.sender,
            outcome=answer.outcome,
            receipt_id=derived_id_for_url(cause.input_id, answer.kind, cause.sender, cause.url_key),
            environment=cause.environment,
            rule=answer.rule,
            field=answer.field,
            message=answer.message,
            breaches=facts[0].breaches if facts else (),
            case_id=None if shown is None else shown.case_id,
            url_key=cause.url_key,
            fact_number=facts[0].number if facts and shown is not None else None,
            round=None if shown is None else shown.round,
            leg=None if shown is None else shown.leg,
            state=None if shown is None else shown.state,
            outcome_of_case=shown.outcome if shown is not None and shown.state == CLOSED else None,
            hosting_country=None if shown is None else shown.hosting_country,
            assigned_country=None if shown is None else shown.assigned_country,
            assigned_hotline=None if shown is None else shown.assigned_hotline,
            admitted_at=cause.now,
            submitted_at=cause.submitted_at,
            directory_version=cause.directory.version,
        ),
    )
