"""What happened in a case, in sentences that a judge can read; times are UTC and names are member ids.

The wording belongs to the format of bundles: a check makes the timeline again and compares it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from casework.directory import EXCHANGE
from casework.messages import Delivery, Escalation, Fact, Receipt
from operations.evidence.parts import moment

_BREACHES: Final[Mapping[str, str]] = {
    "despite_hold": "although police had asked to wait",
    "before_police": "before police were told or had their time",
    "without_consent": "without the consent of police",
    "late": "after its deadline",
    "not_responsible": "by a party that was not responsible then",
    "out_of_order": "out of order",
}
_STEPS: Final[Mapping[str, str]] = {
    "acknowledge": "to acknowledge the report",
    "inform_police": "to tell police",
    "inform_provider": "to tell the provider",
    "confirm_removal": "to confirm the removal",
    "rewrap": "to make the content readable for those responsible",
}
_OUTCOMES: Final[Mapping[str, str]] = {
    "removed": "the material was removed",
    "unavailable": "the material was not available",
    "not_illegal": "the material was judged not illegal",
}
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>()#|!~])")

_Told = Fact | Delivery
_Sentence = Callable[[Any], str]


def _judged(fact: _Told) -> str:
    law = f" by the law of {fact.law_country}" if fact.law_country else ""
    return f"{fact.by} judged the item: {fact.classification}{law}"


def _looked(fact: _Told) -> str:
    seen = {True: "it was online", False: "it was not online", None: "the result is not said"}[fact.is_online]
    when = "" if fact.observed_at is None else f" at {moment(fact.observed_at)}"
    return f"{fact.by} looked at the address{when}: {seen}"


def _assigned(fact: _Told) -> str:
    return f"{fact.assigned_hotline} became responsible, for a host in {fact.hosting_country}"


def _missed(fact: _Told) -> str:
    due = "" if fact.due_at is None else f", due at {moment(fact.due_at)}"
    return f"the time {_named(fact)} ran out{due}"


def _named(fact: _Told) -> str:
    return str(_STEPS.get(fact.step or "", fact.step))


def _police(fact: _Told) -> str:
    if fact.by == EXCHANGE:
        return "police are informed: their liaison acknowledged the case in its feed"
    return f"{fact.by} told police"


def _provider(fact: _Told) -> str:
    return f"{fact.by} told the provider ({fact.recipient_role or 'host'})"


def _ended(fact: _Told) -> str:
    return f"round {fact.round} of the case ended: {_OUTCOMES.get(fact.outcome or '', fact.outcome)}"


_SENTENCES: Final[Mapping[str, _Sentence]] = {
    "awaited": lambda fact: f"an action of {fact.by} came before its report and waits",
    "opened": lambda fact: f"{fact.origin or fact.by} reported the address; the case was opened",
    "reopened": lambda fact: (
        f"{fact.origin or fact.by} reported the address again; round {fact.round} was opened"
    ),
    "linked": lambda fact: f"{fact.origin or fact.by} reported the address too; linked to this case",
    "assigned": _assigned,
    "orphaned": lambda fact: f"no hotline is responsible for a host in {fact.hosting_country}",
    "offered": lambda _: "the case was offered to several hotlines; the first that claims it has it",
    "claimed": lambda fact: f"{fact.by} claimed the case",
    "handed_back": lambda fact: f"{fact.by} handed the case back that it had claimed",
    "lease_expired": lambda _: "the claim ended, because its hotline took no step in time",
    "unclaimed": lambda _: "nobody claimed the case in time",
    "declined": lambda fact: f"{fact.by} declined the case: {fact.reason_code}",
    "transferred": lambda fact: f"{fact.by} handed the case to another hotline: {fact.reason_code}",
    "acknowledged": lambda fact: f"{fact.assigned_hotline or fact.by} has stored the report (acknowledged)",
    "assessed": _judged,
    "police_informed": _police,
    "escalation_acknowledged": lambda fact: f"{fact.by} acknowledged what police were told of the case",
    "escalation_unanswered": lambda fact: f"no police contact acknowledged in time: {fact.reason_code}",
    "reminded": lambda fact: f"the secretariat was told: the time {_named(fact)} ran out long ago",
    "provider_overdue": lambda _: "it was told on that the provider has not removed the material in time",
    "fed": lambda _: "the case came into the feed of police who subscribed",
    "feed_acknowledged": lambda fact: f"{fact.by} acknowledged the case in its feed",
    "provider_informed": _provider,
    "removed": lambda fact: f"{fact.by} says that the material is removed",
    "unavailable": lambda fact: f"{fact.by} says that the material is not available",
    "not_illegal": lambda fact: f"{fact.by} says that the material is not illegal",
    "closed": _ended,
    "observed": _looked,
    "overdue": _missed,
    "held": lambda fact: f"{fact.by} asked that the provider is not told yet",
    "hold_asked": lambda fact: f"{fact.by} asked the police of the hosting country for a hold",
    "hold_refused": lambda fact: f"a hold that was asked for was not granted: {fact.reason_code or fact.by}",
    "hold_warned": lambda _: "the hold would end soon",
    "released": lambda fact: f"{fact.by} no longer minds that the provider is told",
    "hold_expired": lambda _: "the hold ended at its time",
    "hold_ended": lambda fact: f"the hold ended: {fact.reason_code}",
    "breach_reported": lambda fact: f"police heard of a notice against a rule: {fact.reason_code}",
    "paused": lambda _: "the deadlines of the provider stand still",
    "resumed": lambda _: "the deadlines of the provider run again",
    "rewrap_asked": lambda fact: f"the report of {fact.origin} is to be made readable for those responsible",
    "rewrapped": lambda fact: f"{fact.by} made a report readable for further members",
    "readable": lambda _: "those responsible can read the content now",
    "refused": lambda fact: f"an action of {fact.by} was refused",
    "not_applicable": lambda fact: f"an action of {fact.by} did not apply",
    "parked": lambda _: "the exchange set the case aside because of a fault of its own",
    "unparked": lambda _: "the case went on",
    "given_up": lambda _: "a record of the case was given up by an operator",
    "shrunk": lambda _: "the case had been closed for long; its contents were erased",
}


def of_fact(fact: Fact) -> str:
    """Answer what a fact says."""
    if fact.fact == "escalated":
        return f"police ({fact.recipient}) were told: {fact.reason_code}"
    if fact.fact in {"refused", "not_applicable"}:
        return f"{_happened(fact)}: {fact.action}, rule {fact.rule}"
    if fact.fact == "orphaned" and fact.recipient:
        return f"{_happened(fact)}; it waits at {fact.recipient}"
    return _happened(fact)


def of_delivery(delivery: Delivery) -> str:
    """Answer what a delivery told its recipient."""
    kind = {
        "assignment": "as the one responsible, ",
        "rewrap_request": "with a request to re-wrap, ",
        "feed_item": "as a subscriber, ",
        "digest_item": "in the daily digest, ",
    }
    return f"{delivery.recipient} was told, {kind.get(delivery.kind, '')}that {_happened(delivery)}"


def of_receipt(receipt: Receipt) -> str:
    """Answer what a receipt said."""
    why = f": {receipt.field}, {receipt.rule}" if receipt.rule else ""
    return f"the exchange answered {receipt.recipient}: {receipt.outcome}{why}"


def of_escalation(escalation: Escalation) -> str:
    """Answer what an escalation told police."""
    whose = f"the report of {escalation.origin}"
    return f"police ({escalation.recipient}) were told of {whose}: {escalation.reason_code}"


def of_breach(breach: str) -> str:
    """Answer what a breach means."""
    return _BREACHES.get(breach, breach)


def plain(text: str) -> str:
    """Answer foreign text so that it stays on its line and no reader of Markdown takes it for more."""
    return _MARKDOWN.sub(r"\\\1", "".join(each if each.isprintable() else "?" for each in text))


def _happened(told: _Told) -> str:
    sentence = _SENTENCES.get(told.fact)
    return f"{told.by}: {told.fact}" if sentence is None else sentence(told)
