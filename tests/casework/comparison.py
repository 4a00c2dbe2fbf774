"""What the code writes and sends, in the naive model's words, so that the two can be compared."""

from typing import Any

from model import network

from casework.casekeeping import Kept
from casework.messages import Delivery, Escalation, Receipt

FACT_FIELDS = {
    "number": "number",
    "kind": "fact",
    "by": "by",
    "at": "admitted_at",
    "input": "input_id",
    "breaches": "breaches",
    "step": "step",
    "due_at": "due_at",
    "outcome": "outcome",
    "rule": "rule",
    "action": "action",
    "reason": "reason_code",
    "report": "report_event_id",
    "origin": "origin",
    "country": "hosting_country",
    "hotline": "assigned_hotline",
    "desk": "recipient",
    "liaison": "recipient",
    "role": "recipient_role",
    "classification": "classification",
    "observed_at": "observed_at",
    "received_at": "received_at",
    "is_online": "is_online",
    "member": "recipient",
    "members": "members",
    "until": "until",
    "attempt": "attempt",
    "ref": "fact_ref",
    "status": "hosting_status",
    "erase_at": "erase_at",
    "assigned_country": "assigned_country",
}
"""What the naive model says of a fact, and where the code says it."""


def facts(kept: Kept, said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answer the facts of the code in as much as the naive model says anything of them."""
    if len(kept.facts) != len(said):
        return [{"kind": fact.fact, "by": fact.by, "rule": fact.rule} for fact in kept.facts]
    found = []
    for fact, plain in zip(kept.facts, said, strict=True):
        one = dict(plain)
        for name, field in FACT_FIELDS.items():
            if name in plain:
                value = getattr(fact, field)
                one[name] = list(value) if isinstance(value, tuple) else value
        if "deadlines" in plain:
            one["deadlines"] = _limits(fact.deadlines)
        found.append(one)
    return found


def _limits(limits: Any) -> dict[str, int] | None:  # noqa: ANN401 - Deadlines
    return None if limits is None else {step: getattr(limits, f"{step}_ms") for step in network.DEADLINES}


def deliveries(kept: Kept) -> list[dict[str, Any]]:
    """Answer what was delivered, in the naive model's words."""
    return [
        {
            "recipient": body.recipient,
            "number": body.number,
            "fact": body.fact,
            "fact_number": body.fact_number,
            "round": body.round,
            "leg": body.leg,
            "state": body.state,
            "kind": body.kind,
            "report": body.report_event_id,
            "by": body.by,
            "ref": body.fact_ref,
            "breaches": list(body.breaches),
            "host": body.hosting_country,
            "hotline": body.assigned_hotline,
            "chain": list(body.chain),
            "status": body.hosting_status,
            "priority": body.priority,
            "needs_confirmation": body.needs_confirmation,
        }
        for posting in kept.postings
        if isinstance(body := posting.body, Delivery)
    ]


def escalations(kept: Kept) -> list[dict[str, Any]]:
    """Answer which escalations were sent, in the naive model's words."""
    return [
        {
            "to": body.recipient,
            "reason": body.reason_code,
            "report": body.event_id,
            "attempt": body.attempt,
            "due_at": body.due_at,
        }
        for posting in kept.postings
        if isinstance(body := posting.body, Escalation)
    ]


def receipts(kept: Kept) -> list[dict[str, Any]]:
    """Answer how senders were answered, in the naive model's words."""
    found = []
    for posting in kept.postings:
        if isinstance(body := posting.body, Receipt):
            one = {"id": body.event_id, "to": body.recipient, "outcome": body.outcome, "rule": body.rule}
            one["breaches"] = list(body.breaches)
            if body.state is not None:
                one |= {"state": body.state, "round": body.round, "leg": body.leg}
                one |= {"host": body.hosting_country, "hotline": body.assigned_hotline}
                one |= {"fact": body.fact_number, "outcome_of_case": body.outcome_of_case}
            found.append(one)
    return found
