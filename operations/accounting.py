"""Lost: 0, shown by comparing ids: what was submitted against receipts, facts, deliveries and dead letters.

`account` is the pure comparison of `operations.books`, so that the proof rests on nothing that a worker or a
client counted; `operations.losses` says what counts as lost. What a topic refused lies among the dead letters
and has a line of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from casework.messages import Delivery, Escalation, Fact, Receipt
from operations.beside import counted
from operations.books import Books
from operations.losses import Loss, answered, conflicts_in, losses_in, with_undeliverable


class Account(msgspec.Struct, frozen=True):
    """The outcome.

    Attributes:
        submitted: Submissions: different event ids, and records that have none.
        reports: Reports among them.
        actions: Actions among them.
        accepted: Submissions accepted.
        refused: Submissions refused.
        not_applicable: Submissions that could change nothing.
        duplicates: Submissions that were sent more than once and answered so.
        dead_lettered: Records set aside that could not be read, judged or decided.
        undeliverable: Messages that wait among the dead letters because their topic did not take them.
        delivered: Deliveries, each once.
        repeated: Deliveries that lie there a second time under their own id, which readers drop.
        escalated: Messages to police.
        acknowledged: Cases a hotline acknowledged.
        police_informed: Cases police were told about.
        provider_informed: Cases a provider was told about.
        removed: Cases closed as removed.
        beside: What happened beside the straight way, by kind, and how often; see `operations.beside`.
        lost: What is missing.
        conflicts: What is there twice and different.
    """

    submitted: int
    reports: int
    actions: int
    accepted: int
    refused: int
    not_applicable: int
    duplicates: int
    dead_lettered: int
    undeliverable: int
    delivered: int
    repeated: int
    escalated: int
    acknowledged: int
    police_informed: int
    provider_informed: int
    removed: int
    beside: dict[str, int]
    lost: tuple[Loss, ...]
    conflicts: tuple[Loss, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is lost and nothing took effect twice."""
        return not self.lost and not self.conflicts


def account(books: Books) -> Account:
    """Compare the ids and answer what is there and what is missing."""
    kinds = {each.key: each.kind for each in books.submissions if each.key is not None}
    unreadable = sum(each.event_id is None for each in books.submissions)
    receipts = with_undeliverable(books).receipts
    outcomes = Counter(outcome for *_, outcome in {(*answered(each), each.outcome) for each in receipts})
    cases_with = _cases_by_fact(books.facts)
    delivered = {each.delivery_id for each in books.deliveries}
    return Account(
        submitted=len(kinds) + unreadable,
        reports=sum(kind == "report" for kind in kinds.values()),
        actions=sum(kind == "action" for kind in kinds.values()),
        accepted=outcomes["accepted"],
        refused=outcomes["refused"],
        not_applicable=outcomes["not_applicable"],
        duplicates=outcomes["duplicate"],
        dead_lettered=len(set(books.dead_letters)),
        undeliverable=len({_id(each) for each in books.undeliverable} - _ids_there(books)),
        delivered=len(delivered),
        repeated=len(books.deliveries) - len(delivered),
        escalated=len({each.escalation_id for each in books.escalations}),
        acknowledged=len(cases_with["acknowledged"]),
        police_informed=len(cases_with["police_informed"]),
        provider_informed=len(cases_with["provider_informed"]),
        removed=len(cases_with["removed"]),
        beside=counted(books.facts),
        lost=losses_in(books),
        conflicts=conflicts_in(books),
    )


def _id(message: Receipt | Delivery | Escalation) -> str:
    match message:
        case Receipt():
            return message.receipt_id
        case Delivery():
            return message.delivery_id
        case Escalation():
            return message.escalation_id


def _ids_there(books: Books) -> set[str]:
    return {_id(each) for kind in (books.receipts, books.deliveries, books.escalations) for each in kind}


def _cases_by_fact(facts: Iterable[Fact]) -> defaultdict[str, set[str]]:
    cases: defaultdict[str, set[str]] = defaultdict(set)
    for fact in facts:
        cases[fact.fact].add(fact.case_id)
    return cases
