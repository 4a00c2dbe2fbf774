"""What the simulated members know: everything they sent and everything they got, by id.

It is the members' own side of the story; `operations.accounting` holds it against the topics.
"""

from collections import Counter, defaultdict
from typing import Final

from casework.messages import Delivery, Escalation, Receipt
from casework.notices import ASSIGNMENT, LINKED_REPORT
from connectors.errors import UnprovenMessageError, UnreadableContentError, UrlKeyMismatchError
from connectors.inbox_messages import InboxMessage

_FLOWS: Final = frozenset({ASSIGNMENT, LINKED_REPORT})


class Ledger:
    """The book of one live simulation.

    Attributes:
        confirmed: Kind of each submission that Kafka confirmed and that must be answered, by event id.
        hopeless: How many records were sent that nobody can answer.
        answers: Outcome of the first receipt of each submission.
        refusals: Action and rule of submissions that were refused although nobody meant them to be.
        no_effects: Action and rule of submissions that came too late to change anything.
        wrong: Event ids of what was sent wrong on purpose.
        deliveries: Ids of the deliveries that each member got.
        flows: Reports delivered, by country of the origin and of the host.
        repeated: Submissions sent a second time on purpose.
        escalations: Ids of the escalations that liaisons got.
        unreadable: Messages that a client could not read.
        opened: Contents that members have opened.
        sealed_to_others: Contents that a member was handed and that no key of its ring opens, yet.
        unproven: Contents that a member refused to believe: unproven, altered or filed under another address.
        messages: How many messages the clients got.
        acted: How often each member sent each action.
        open_cases: Responsible member and start of each case that is in work, by case id.
    """

    def __init__(self) -> None:
        self.confirmed: dict[str, str] = {}
        self.hopeless = 0
        self.answers: dict[str, str] = {}
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.no_effects: Counter[tuple[str, str]] = Counter()
        self.wrong: set[str] = set()
        self.acted: Counter[tuple[str, str]] = Counter()
        self._actions: dict[str, str] = {}
        self.deliveries: defaultdict[str, set[str]] = defaultdict(set)
        self.flows: Counter[tuple[str, str]] = Counter()
        self.repeated = 0
        self.escalations: set[str] = set()
        self.unreadable = 0
        self.opened = 0
        self.sealed_to_others = 0
        self.unproven = 0
        self.messages = 0
        self.open_cases: dict[str, tuple[str, int]] = {}

    @property
    def submitted(self) -> int:
        """Submissions sent, each once, and records that nobody can answer."""
        return len(self.confirmed) + self.hopeless

    @property
    def unanswered(self) -> int:
        """Submissions whose receipt has not come."""
        return len(self.confirmed.keys() - self.answers.keys())

    def sent(self, event_id: str, kind: str, member: str = "", action: str | None = None) -> None:
        """Note a submission that Kafka confirmed, who sent it, and of an action its code."""
        self.confirmed[event_id] = kind
        if action is not None and event_id not in self._actions:
            self._actions[event_id] = action
            self.acted[member, action] += 1

    def opens(self, message: InboxMessage) -> None:
        """Open what a message encloses, and note whether it could be."""
        try:
            content = message.open()
        except UnreadableContentError:
            self.sealed_to_others += 1
        except (UnprovenMessageError, UrlKeyMismatchError):
            self.unproven += 1
        else:
            self.opened += content is not None

    def got_receipt(self, receipt: Receipt) -> None:
        """Note an answer."""
        self.messages += 1
        self.answers.setdefault(receipt.event_id, receipt.outcome)
        what = self._actions.get(receipt.event_id, "report"), receipt.rule or ""
        if receipt.outcome == "refused" and receipt.event_id not in self.wrong:
            self.refusals[what] += 1
        elif receipt.outcome == "not_applicable":
            self.no_effects[what] += 1

    def got_delivery(self, delivery: Delivery, origin_country: str | None, reader: str | None = None) -> None:
        """Note a delivery; one that hands over a report is a flow from the origin's country.

        Args:
            delivery: The delivery.
            origin_country: Country of its report's origin.
            reader: Who read it, where several read one queue.
        """
        self.messages += 1
        self.deliveries[reader or delivery.recipient].add(delivery.delivery_id)
        if delivery.kind in _FLOWS and origin_country and delivery.hosting_country:
            self.flows[origin_country, delivery.hosting_country] += 1

    def took_on(self, case_id: str, member: str, received_at: int) -> None:
        """Note that a member is responsible for a case that the public reported at a time."""
        self.open_cases[case_id] = (member, received_at)

    def finished(self, case_id: str) -> None:
        """Note that the responsible member took a final action."""
        self.open_cases.pop(case_id, None)

    def got_escalation(self, escalation: Escalation) -> None:
        """Note an escalation."""
        self.messages += 1
        self.escalations.add(escalation.escalation_id)
