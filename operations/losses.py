"""What is lost: everything that should be there and is not, and what is there twice, by its id.

Lost is
- a submission without receipt and dead letter that does not wait in a parked case, or one confirmed to its
  sender that is not there;
- an accepted submission without a fact;
- a report that neither its responsible hotline, the desk nor police got, unless its origin is responsible;
- a fact whose number is missing in its case, or that the newest state does not know;
- a delivery whose number is missing for its case and recipient, or that its reader did not get;
- an escalation that was decided and not sent;
- the report itself, where a delivery or escalation hands it over without, or with another one;
- a record of the exchange's own topics that nobody can read.
What a topic refused lies among the dead letters and is not lost.
Two different messages in the place of one are a conflict: an effect that took place twice.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

from casework.directory import ORPHAN_DESK
from casework.errors import BadInputError
from casework.messages import Delivery, Escalation, Fact, Receipt, ReportStatement
from casework.notices import ASSIGNMENT, LINKED_REPORT, REWRAP_REQUEST, REWRAPPED_REPORT
from casework.protection import SEALED
from casework.sealed_content import parse
from casework.stubs import last_number
from casework.transitions import PLACES
from operations.books import Books, Place
from schemas.errors import UnreadableError
from streams import wire

CaseRecipient = tuple[str, str]

REPORT_FACTS: Final = frozenset({"opened", "linked", "reopened"})
_HAND_OVER: Final = frozenset({ASSIGNMENT, LINKED_REPORT, REWRAP_REQUEST, REWRAPPED_REPORT})


class Loss(msgspec.Struct, frozen=True, order=True):
    """Something that should be there and is not, or is there twice.

    Attributes:
        what: Kind of what is missing, such as receipt or delivery.
        id: Its id, or the place of what has none.
        missing: In words, what was looked for.
    """

    what: str
    id: str
    missing: str


def losses_in(books: Books) -> tuple[Loss, ...]:
    """Answer all that is missing, sorted, each once."""
    whole = with_undeliverable(books)
    found = (
        *_unanswered(whole),
        *_without_fact(whole),
        *_undelivered_reports(whole),
        *_missing_facts(whole),
        *_missing_deliveries(whole),
        *_unread(books),
        *_missing_escalations(whole),
        *_without_report(whole),
        *(Loss("record", _named(place), "nobody can read it") for place in books.unreadable),
    )
    return tuple(sorted(set(found)))


def conflicts_in(books: Books) -> tuple[Loss, ...]:
    """Answer all that is there twice and different, sorted, each once."""
    return tuple(sorted(set(_conflicts(with_undeliverable(books)))))


def with_undeliverable(books: Books) -> Books:
    """Answer the books as if every topic had taken what was sent: an operator has it and can send it on."""
    kept = books.undeliverable
    return msgspec.structs.replace(
        books,
        receipts=[*books.receipts, *(each for each in kept if isinstance(each, Receipt))],
        deliveries=[*books.deliveries, *(each for each in kept if isinstance(each, Delivery))],
        escalations=[*books.escalations, *(each for each in kept if isinstance(each, Escalation))],
    )


def answered(receipt: Receipt) -> tuple[str, str | None, bytes | None]:
    """Answer which submission a receipt answers, as `Submitted.key` names it."""
    return (receipt.event_id, receipt.recipient, receipt.url_key)


def _unanswered(books: Books) -> Iterable[Loss]:
    answers = {answered(receipt) for receipt in books.receipts}
    set_aside = {*books.dead_letters, *books.given_up}
    waiting = _waiting(books)
    there = set()
    for each in books.submissions:
        there.add(each.event_id)
        if each.key not in answers and each.place not in set_aside:
            if (each.event_id, each.url_key) in waiting:
                continue
            name = each.event_id or _named(each.place)
            yield Loss(each.kind, name, "neither receipt nor dead letter")
    for event_id in set(books.confirmed) - there:
        yield Loss("submission", event_id, "confirmed to its sender and not on the topic")


def _waiting(books: Books) -> set[tuple[str | None, bytes | None]]:
    """Answer the submissions that wait in a case that is parked now; after its unpark they need a receipt."""
    parked = {case.case_id for case in books.cases if case.parked is not None}
    return {
        (fact.input_id, fact.url_key)
        for fact in books.facts
        if fact.fact == "parked" and fact.case_id in parked
    }


def _without_fact(books: Books) -> Iterable[Loss]:
    caused = {(fact.input_id, fact.url_key) for fact in books.facts}
    for receipt in books.receipts:
        if receipt.outcome == "accepted" and (receipt.event_id, receipt.url_key) not in caused:
            yield Loss("submission", receipt.event_id, "accepted and no fact records it")


def _undelivered_reports(books: Books) -> Iterable[Loss]:
    got = {(each.url_key, each.report_event_id, each.recipient) for each in books.deliveries}
    escalated = {(each.url_key, each.event_id) for each in books.escalations}
    desks = {
        (fact.url_key, fact.report_event_id): fact.recipient
        for fact in books.facts
        if fact.fact == "orphaned"
    }
    pools = {
        (fact.url_key, fact.report_event_id): fact.members for fact in books.facts if fact.fact == "offered"
    }
    waits_for_claim = _linked_to_offers(books)
    for fact in books.facts:
        if fact.fact not in REPORT_FACTS or fact.report_event_id is None:
            continue
        hotline, report = fact.assigned_hotline, (fact.url_key, fact.report_event_id)
        if hotline is None and report in pools:
            is_there = all((*report, member) in got for member in pools[report])
            looked_for = "no offer to each of those who may claim it"
        elif fact.fact_id in waits_for_claim:
            continue
        elif hotline is not None:
            is_there = hotline == fact.origin or (*report, hotline) in got
            looked_for = f"no delivery to {hotline}"
        else:
            desk = desks.get(report, ORPHAN_DESK)
            is_there = (*report, desk) in got or report in escalated
            looked_for = f"no delivery to {desk or 'a desk'} and no escalation"
        if not is_there:
            yield Loss("report", fact.report_event_id, looked_for)


def _linked_to_offers(books: Books) -> frozenset[str]:
    """Answer the ids of facts by which a report joined an offered case: it is handed over with the claim."""
    by_case: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in books.facts:
        by_case[fact.case_id].append(fact)
    found = []
    for facts in by_case.values():
        is_offered = False
        for fact in sorted(facts, key=lambda each: each.number):
            if fact.fact in PLACES:
                is_offered = fact.fact == "offered"
            elif fact.fact == "linked" and is_offered:
                found.append(fact.fact_id)
    return frozenset(found)


def _missing_facts(books: Books) -> Iterable[Loss]:
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for fact in books.facts:
        numbers[fact.case_id].add(fact.number)
    states = {case.case_id: case.number for case in books.cases}
    never_opened = numbers.keys() - {fact.case_id for fact in books.facts if fact.fact == "opened"}
    for case_id in numbers.keys() | states.keys():
        there = numbers[case_id]
        newest = max(max(there, default=0), states.get(case_id, 0))
        for number in set(range(1, newest + 1)) - there:
            yield Loss("fact", f"{case_id}/{number}", "number missing in cases.events")
        if case_id in never_opened and case_id not in states:
            continue  # only actions waited, in vain: nothing is left of such a case
        if states.get(case_id, 0) < newest:
            yield Loss("state", case_id, f"newest state knows {states.get(case_id, 0)} of {newest} facts")


def _missing_deliveries(books: Books) -> Iterable[Loss]:
    numbers: defaultdict[CaseRecipient, set[int]] = defaultdict(set)
    for each in books.deliveries:
        numbers[each.case_id, each.recipient].add(each.number)
    expected = {
        (case.case_id, count.recipient): count.number for case in books.cases for count in case.deliveries
    }
    cases = {case.case_id: case for case in books.cases}
    # A stub knows the numbers, and of the recipients only short hashes of those that ask.
    expected |= {key: last_number(cases.get(key[0]), key[1]) for key in numbers.keys() - expected.keys()}
    for key in numbers.keys() | expected.keys():
        there = numbers[key]
        newest = max(max(there, default=0), expected.get(key, 0))
        for number in set(range(1, newest + 1)) - there:
            yield Loss("delivery", f"{key[0]}/{number}", f"number missing in the inbox of {key[1]}")


def _unread(books: Books) -> Iterable[Loss]:
    for each in books.deliveries:
        got = books.read.get(each.recipient)
        if got is not None and each.delivery_id not in got:
            yield Loss("delivery", each.delivery_id, f"{each.recipient} read its inbox and did not get it")


def _missing_escalations(books: Books) -> Iterable[Loss]:
    sent = {(each.url_key, each.event_id, each.recipient, each.reason_code) for each in books.escalations}
    for fact in books.facts:
        if fact.fact != "escalated" or fact.report_event_id is None:
            continue
        if (fact.url_key, fact.report_event_id, fact.recipient, fact.reason_code) not in sent:
            name = f"{fact.case_id}/{fact.number}"
            yield Loss("escalation", name, f"no {fact.reason_code} message to {fact.recipient}")


def _without_report(books: Books) -> Iterable[Loss]:
    """Look into what hands a report over: with it in it, unless it was made again when a stub was left."""
    erased: defaultdict[str, int] = defaultdict(int)
    for fact in books.facts:
        if fact.fact == "shrunk":
            erased[fact.case_id] = max(erased[fact.case_id], fact.number)
    for delivery in books.deliveries:
        if delivery.content is None and delivery.fact_number <= erased[delivery.case_id]:
            continue
        if delivery.kind in _HAND_OVER and not _holds(delivery, delivery.report_event_id):
            yield Loss("content", delivery.delivery_id, f"handed to {delivery.recipient} without its report")
    for escalation in books.escalations:
        if not _holds(escalation, escalation.event_id):
            yield Loss("content", escalation.escalation_id, "handed to police without its report")


def _holds(message: Delivery | Escalation, report_event_id: str | None) -> bool:
    if message.statement is None:
        return False
    try:
        report = wire.decode_as(ReportStatement, message.statement)
    except UnreadableError:
        return False
    return (report.event_id, report.url_key, report.content_digest) == (
        report_event_id, message.url_key, _digest(message.content, report.content_protection)
    )  # fmt: skip


def _digest(content: bytes | None, protection: str) -> bytes | None:
    """Answer what a statement says of this content; of sealed content, whoever can open it."""
    if content is None:
        return None
    if protection != SEALED:
        return hashlib.sha256(content).digest()
    try:
        return parse(content).digest
    except BadInputError:
        return b""


def _conflicts(books: Books) -> Iterable[Loss]:
    deliveries: dict[tuple[str, str, int], str] = {}
    for each in books.deliveries:
        first = deliveries.setdefault((each.case_id, each.recipient, each.number), each.delivery_id)
        if first != each.delivery_id:
            yield Loss("delivery", f"{each.case_id}/{each.number}", f"two different ones to {each.recipient}")
    facts: dict[tuple[str, int], str] = {}
    for fact in books.facts:
        if facts.setdefault((fact.case_id, fact.number), fact.fact_id) != fact.fact_id:
            yield Loss("fact", f"{fact.case_id}/{fact.number}", "two different ones under one number")
    receipts: dict[str, tuple[str, str]] = {}
    for receipt in books.receipts:
        says = (receipt.outcome, receipt.rule or "")
        if receipts.setdefault(receipt.receipt_id, says) != says:
            yield Loss("receipt", receipt.event_id, "two different ones under one id")


def _named(place: Place) -> str:
    return "/".join(map(str, place))
