"""Reconciliation: the submissions of a time window against all that must have become of them, by id.

Where `hx verify` decides everything again, this looks only at ids and times, so that it is quick and may run
every hour. It names what is
- missing: a submission without admission, refusal or dead letter; an admitted one without decision; one
  without receipt; an escalation, a delivery or a fact that is not there; a state behind its facts;
- late: answered or delivered after more than a bound;
- doubled: the same id twice with the same bytes, which readers drop, and which is only counted;
- a conflict: the same id with other bytes.

Copies that a sender made of its own submission are answered each as a duplicate under one id; they are no
conflict.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final, Literal, TypeVar

import msgspec

from casework import codes
from casework.ids import SHOWN_ID
from casework.limits import URL_KEY_BYTES
from casework.messages import Admitted, Case, Delivery, Escalation, Fact, Message, Receipt, Submission
from casework.states import AWAITED
from casework.stubs import last_number
from operations.books import set_aside
from operations.logs import Log, inboxes, police
from operations.newest_states import newest_cases
from operations.reading import Record
from operations.verification.facts import digest, place_of
from schemas.errors import UnreadableError
from streams import wire
from streams.topics import Topics

What = Literal["missing", "late", "conflict"]
M = TypeVar("M", bound=Message)
SubmissionKey = tuple[str, str, bytes | None]
_DUPLICATE: Final = "duplicate"
_WAITING: Final = frozenset({AWAITED, "parked"})


class Window(msgspec.Struct, frozen=True):
    """What is looked at.

    Attributes:
        since_ms: Log-append time of submissions, real time, milliseconds since the epoch, UTC.
        until_ms: Likewise; not included.
        late_after_ms: How long a receipt or message may take from the append of its submission.
    """

    since_ms: int
    until_ms: int
    late_after_ms: int = 60_000


class Item(msgspec.Struct, frozen=True, order=True):
    """Something to look after.

    Attributes:
        what: missing, late or conflict.
        kind: admission, decision, receipt, delivery, escalation, fact or state.
        id: Event id, delivery as case/number/recipient, fact as case/number, or case id.
        place: Where the record lies that it follows from, as topic/partition/offset; or empty.
        text: In words.
    """

    what: What
    kind: str
    id: str
    place: str
    text: str


class Reconciled(msgspec.Struct, frozen=True):
    """The outcome.

    Attributes:
        items: What is missing, late or in conflict, sorted.
        counts: How much of each kind was compared.
        doubled: Records under an id that was there before with the same bytes, by kind.
        resend: Records of submissions and of cases.admitted that bring what is missing when sent again.
    """

    items: tuple[Item, ...]
    counts: dict[str, int]
    doubled: dict[str, int]
    resend: tuple[Record, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, late or in conflict."""
        return not self.items


def reconcile(log: Log, topics: Topics, window: Window) -> Reconciled:
    """Compare the submissions of a window with what became of them.

    Args:
        log: The logs.
        topics: Names of the topics.
        window: What is looked at. Its end should lie some time back: what is under way counts as missing.

    Raises:
        KafkaUnreachableError: The broker went away.
    """
    return _Reconciliation(log, topics, window).run()


class _Sent(msgspec.Struct):
    record: Record
    key: SubmissionKey | None
    admissions: int = 0
    answered_at: int | None = None


class _Reconciliation:
    def __init__(self, log: Log, topics: Topics, window: Window) -> None:
        self._log = log
        self._topics = topics
        self._window = window
        self._items: set[Item] = set()
        self._counts: Counter[str] = Counter()
        self._doubled: Counter[str] = Counter()
        self._resend: dict[tuple[str, int, int], Record] = {}
        self._ids: dict[tuple[str, str], tuple[bytes, bytes, bool]] = {}
        self._sent: dict[tuple[str, int, int], _Sent] = {}
        self._by_key: defaultdict[SubmissionKey, list[_Sent]] = defaultdict(list)
        self._facts: dict[str, dict[int, Fact]] = defaultdict(dict)
        self._last_fact: dict[tuple[str, bytes], Fact] = {}
        self._newest: dict[str, Case] = {}
        self._waited: set[str] = set()
        self._numbers: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        self._recipients: defaultdict[str, set[str]] = defaultdict(set)
        self._escalated: set[tuple[bytes, str, str, str]] = set()

    def run(self) -> Reconciled:
        aside = set_aside(self._log, self._topics)
        self._read_submissions()
        admitted = self._read_admitted()
        self._read_facts()
        names = [*inboxes(self._log, self._topics), *police(self._log, self._topics)]
        for record in self._log.whole(*names):
            self._message(record)
        for record in aside.undelivered:
            self._message(record)
        self._newest = {
            case.case_id: case for case in newest_cases(self._log.whole(self._topics.cases_status)).values()
        }
        self._look_at_submissions(aside.places | aside.given_up)
        self._look_at_admitted(admitted, aside.places)
        self._look_at_cases()
        return Reconciled(
            tuple(sorted(self._items)),
            dict(sorted(self._counts.items())),
            dict(sorted(self._doubled.items())),
            tuple(self._resend.values()),
        )

    def _is_inside(self, at_ms: int) -> bool:
        return self._window.since_ms <= at_ms < self._window.until_ms

    # What is there ---------------------------------------------------------------------------------------

    def _read_submissions(self) -> None:
        for record in self._log.whole(*self._topics.submissions):
            if not self._is_inside(record.timestamp):
                continue
            self._counts["submissions"] += 1
            sent = self._sent[record.topic, record.partition, record.offset] = _Sent(record, _key_of(record))
            if sent.key is not None:
                self._by_key[sent.key].append(sent)

    def _read_admitted(self) -> list[tuple[Record, Admitted]]:
        found = []
        for record in self._log.whole(self._topics.cases_admitted):
            admitted = _read(record, Admitted)
            if admitted is None or not self._is_inside(admitted.submitted_at):
                continue
            self._counts["admissions"] += 1
            sent = self._sent.get((admitted.source_topic, admitted.source_partition, admitted.source_offset))
            if sent is not None:
                if sent.admissions:
                    self._doubled["admission"] += 1
                sent.admissions += 1
            found.append((record, admitted))
        return found

    def _read_facts(self) -> None:
        for record in self._log.whole(self._topics.cases_events):
            fact = _read(record, Fact)
            if fact is None:
                continue
            if not self._is_once("fact", fact.fact_id, record):
                continue
            self._facts[fact.case_id][fact.number] = fact
            self._last_fact[fact.input_id, fact.url_key] = fact
            if fact.fact in _WAITING:
                self._waited.add(fact.input_id)
            if self._is_inside(fact.submitted_at):
                self._counts["facts"] += 1

    def _message(self, record: Record) -> None:
        try:
            message = wire.decode(record.value or b"")
        except UnreadableError:
            return
        match message:
            case Delivery():
                self._numbers[message.case_id, message.recipient].add(message.number)
                self._recipients[message.case_id].add(message.recipient)
                name = f"{message.case_id}/{message.number}/{message.recipient}"
                bare = _without_report(message)
                is_erased = message.content is None
                if self._is_once("delivery", message.delivery_id, record, bare, is_erased=is_erased):
                    self._is_timely("delivery", name, record, message.submitted_at)
            case Escalation():
                self._escalated.add(
                    (message.url_key, message.event_id, message.recipient, message.reason_code)
                )
                if self._is_once("escalation", message.escalation_id, record):
                    self._is_timely("escalation", message.escalation_id, record, message.submitted_at)
            case Receipt():
                self._receipt(message, record)
            case _:
                pass

    def _receipt(self, receipt: Receipt, record: Record) -> None:
        if receipt.outcome != _DUPLICATE:
            self._is_once("receipt", receipt.receipt_id, record)
        sent = self._by_key.get((receipt.event_id, receipt.recipient, receipt.url_key), ())
        for each in sent:
            if each.answered_at is None:
                each.answered_at = record.timestamp
        if sent and receipt.event_id not in self._waited:
            self._is_timely("receipt", receipt.event_id, record, receipt.submitted_at)

    def _is_once(
        self, kind: str, identifier: str, record: Record, bare: bytes = b"", *, is_erased: bool = False
    ) -> bool:
        """Answer whether this is the first record of an id; count or name another one.

        A delivery made again after its content was erased is the same one; `bare` is it without its report.
        """
        is_what = (digest(record.value or b""), digest(bare), is_erased)
        first = self._ids.get((kind, identifier))
        if first is None:
            self._ids[kind, identifier] = is_what
            return True
        is_same_but_erased = first[1] == is_what[1] and (first[2] or is_erased)
        if first[0] == is_what[0] or is_same_but_erased:
            self._doubled[kind] += 1
        else:
            self._find("conflict", kind, identifier, place_of(record), "other bytes under the same id")
        return False

    def _is_timely(self, kind: str, name: str, record: Record, submitted_at: int) -> None:
        if not self._is_inside(submitted_at):
            return
        self._counts[kind] += 1
        took = record.timestamp - submitted_at
        if took > self._window.late_after_ms:
            self._find("late", kind, name, place_of(record), f"after {took / 1000:.1f} s")

    # What is missing -------------------------------------------------------------------------------------

    def _look_at_submissions(self, places: frozenset[tuple[str, int, int]]) -> None:
        for place, sent in self._sent.items():
            if place in places:
                continue
            name = sent.key[0] if sent.key is not None else place_of(sent.record)
            if not sent.admissions and sent.answered_at is None:
                text = "neither admitted nor refused nor set aside"
                self._find("missing", "admission", name, place_of(sent.record), text)
                self._again(sent.record)
            elif sent.answered_at is None and not self._waits(sent):
                self._find("missing", "receipt", name, place_of(sent.record), "admitted and not answered")
                self._again(sent.record)

    def _waits(self, sent: _Sent) -> bool:
        """Answer whether no answer is due: an action before its report, or a record of a case parked now."""
        if sent.key is None or sent.key[2] is None:
            return False
        last = self._last_fact.get((sent.key[0], sent.key[2]))
        if last is None or last.fact not in _WAITING:
            return False
        case = self._newest.get(last.case_id)
        return last.fact == AWAITED or (case is not None and case.parked is not None)

    def _look_at_admitted(
        self, admitted: Iterable[tuple[Record, Admitted]], places: frozenset[tuple[str, int, int]]
    ) -> None:
        caused = {
            (fact.url_key, fact.input_id) for numbers in self._facts.values() for fact in numbers.values()
        }
        for record, each in admitted:
            if each.submission is None or (record.topic, record.partition, record.offset) in places:
                continue
            sent = self._sent.get((each.source_topic, each.source_partition, each.source_offset))
            if sent is not None and sent.answered_at is not None:
                continue
            if (each.url_key, each.event_id) not in caused:
                self._find("missing", "decision", each.event_id, place_of(record), "admitted, and no fact")
                self._again(record)
                if sent is not None:
                    self._resend.pop((each.source_topic, each.source_partition, each.source_offset), None)

    def _look_at_cases(self) -> None:
        newest = self._newest
        for case_id, numbers in self._facts.items():
            inside = [number for number, fact in numbers.items() if self._is_inside(fact.submitted_at)]
            if not inside:
                continue
            self._counts["cases"] += 1
            state = newest.get(case_id)
            last = max(*numbers, 0 if state is None else state.number)
            for number in range(min(inside), last + 1):
                if number not in numbers:
                    self._find("missing", "fact", f"{case_id}/{number}", "", "number is not in cases.events")
            self._look_at_escalations(numbers[number] for number in inside if number in numbers)
            if state is None:
                if any(fact.round > 0 for fact in numbers.values()):
                    self._find("missing", "state", case_id, "", "facts and no state")
                continue
            if state.number < last:
                self._find("missing", "state", case_id, "", f"state knows {state.number} of {last} facts")
            for recipient in self._recipients[case_id] | {count.recipient for count in state.deliveries}:
                there, newest_number = self._numbers[case_id, recipient], last_number(state, recipient)
                first = min(there, default=newest_number + 1) if self._is_trimmed(recipient) else 1
                for number in set(range(first, newest_number + 1)) - there:
                    name = f"{case_id}/{number}/{recipient}"
                    self._find("missing", "delivery", name, "", f"not in the inbox of {recipient}")

    def _is_trimmed(self, recipient: str) -> bool:
        names = self._topics.read_by(recipient)
        return any(first > 0 for name in names for first in self._log.begins(name).values())

    def _look_at_escalations(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if fact.fact != "escalated":
                continue
            wanted = (fact.url_key, fact.report_event_id or "", fact.recipient or "", fact.reason_code or "")
            if wanted not in self._escalated:
                name = f"{fact.report_event_id}/{fact.reason_code}/{fact.recipient}"
                self._find("missing", "escalation", name, "", f"not in the topic of {fact.recipient}")
                if fact.reason_code in codes.URGENCIES.codes:
                    self._again_of(fact)

    def _find(self, what: What, kind: str, name: str, place: str, text: str) -> None:
        self._items.add(Item(what, kind, name, place, text))

    def _again_of(self, fact: Fact) -> None:
        """An urgent escalation is intake's: it comes again with the report."""
        key = (fact.report_event_id or "", fact.origin or "", fact.url_key)
        for sent in self._by_key.get(key, ())[:1]:
            self._again(sent.record)

    def _again(self, record: Record) -> None:
        self._resend[record.topic, record.partition, record.offset] = record


def _without_report(delivery: Delivery) -> bytes:
    if delivery.statement is None:
        return wire.encode(delivery)
    return wire.encode(
        msgspec.structs.replace(delivery, statement=None, signature=None, key_id=None, content=None)
    )


def _key_of(record: Record) -> SubmissionKey | None:
    try:
        prefix = wire.prefix_of(wire.decode_as(Submission, record.value or b"").statement)
    except UnreadableError:
        return None
    url_key = prefix.url_key if len(prefix.url_key) == URL_KEY_BYTES else None
    return prefix.event_id[:SHOWN_ID], prefix.sender, url_key


def _read(record: Record, kind: type[M]) -> M | None:
    try:
        return wire.decode_as(kind, record.value or b"")
    except UnreadableError:
        return None
