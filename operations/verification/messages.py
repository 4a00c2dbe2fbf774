"""What the rules make, against what lies in the inboxes and escalation topics of one partition's cases.

Only receipts may be several under one id: each copy that a member sends of a submission is answered as a
duplicate, with the time of that copy. Everything else under an id must be the same byte for byte.
"""

from collections import defaultdict

from casework.ids import id_bytes
from casework.messages import Delivery, Escalation, Receipt
from casework.postings import Posting
from operations.verification.effects import Effect, text_of
from operations.verification.expected import OfIntake
from operations.verification.facts import digest
from operations.verification.findings import Tally
from operations.verification.replay import ERASED, Replay
from streams.topics import Topics

_CASE_OF_NOTHING = ""


class Messages:
    """Messages of the cases of one partition.

    Args:
        there: What lies in the topics, by id.
        intake: What intake must have sent.
        topics: Names of the topics.
        tally: Takes what is found.

    Attributes:
        first_in_flight: First offset of messages of cases that still move, by topic and partition.
    """

    def __init__(
        self, there: dict[bytes, list[Effect]], intake: OfIntake, topics: Topics, tally: Tally
    ) -> None:
        self._there = there
        self._topics = topics
        self._tally = tally
        self._intake = intake
        self._allowed: defaultdict[bytes, set[bytes]] = defaultdict(set)
        self._wanted: dict[bytes, dict[bytes, tuple[bytes, str, str]]] = {}
        self.first_in_flight: dict[tuple[str, int], int] = {}
        for identifier, digests in intake.messages.items():
            self._allowed[identifier] |= digests
            if identifier not in intake.may_be:
                self._wanted[identifier] = {
                    is_what: (is_what, _CASE_OF_NOTHING, "receipt or escalation of intake")
                    for is_what in digests
                }

    def expect(self, posting: Posting, framed: bytes, bare: tuple[bytes, ...]) -> None:
        """Take a message that the rules make; `bare` is how it may look after its content was erased."""
        self._tally.counts["effects_made"] += 1
        identifier = identifier_of(posting)
        if framed == ERASED:
            self._tally.unchecked["content_erased"] += 1
            there = {effect.digest for effect in self._there.get(identifier, ())}
            self._allowed[identifier] |= there
            self._wanted.setdefault(identifier, {})[min(there, default=ERASED)] = (ERASED, *_words(posting))
            return
        full, without = digest(framed), digest(bare[0])
        self._allowed[identifier] |= {full, *map(digest, bare)}
        wanted = self._wanted.setdefault(identifier, {})
        if wanted.keys() - {full} and not isinstance(posting.body, Receipt):
            case_id, text = _words(posting)
            self._tally.find("effect_conflict", case_id, text_of(identifier), f"a second {text} has its id")
        wanted[full] = (without, *_words(posting))

    def close(self, replay: Replay, *, is_from_snapshot: bool, with_intake: bool) -> None:
        """Compare, once the whole partition was replayed."""
        for identifier, wanted in self._wanted.items():
            self._compare(identifier, wanted)
        unsettled = replay.moving | replay.broken
        for identifier in self._intake.may_be & self._there.keys():
            self._note_in_flight(self._there[identifier])
        for identifier, effects in self._there.items():
            if identifier not in self._allowed:
                self._unknown(identifier, effects, replay, unsettled, (is_from_snapshot, with_intake))
        self._check_order()

    def _compare(self, identifier: bytes, wanted: dict[bytes, tuple[bytes, str, str]]) -> None:
        effects = self._there.get(identifier, [])
        there = {effect.digest for effect in effects}
        self._tally.counts["effects_repeated"] += max(len(effects) - len(there), 0)
        strange = there - self._allowed[identifier]
        missing = [each for full, each in wanted.items() if not {full, each[0]} & there]
        name = text_of(identifier)
        if missing and strange:
            self._tally.find("effect_altered", missing[0][1], name, missing[0][2])
        elif missing:
            self._tally.find("effect_missing", missing[0][1], name, missing[0][2])
        elif strange:
            place = next(effect.place for effect in effects if effect.digest in strange)
            self._tally.find("effect_conflict", "", name, f"{place} has other bytes under the same id")

    def _unknown(
        self,
        identifier: bytes,
        effects: list[Effect],
        replay: Replay,
        unsettled: set[bytes],
        how: tuple[bool, bool],
    ) -> None:
        first = effects[0]
        is_from_snapshot, with_intake = how
        if first.url_key in unsettled:
            self._note_in_flight(effects)
            return
        unchecked = self._tally.unchecked
        if first.kind != "delivery":
            if is_from_snapshot:
                unchecked["before_the_snapshot"] += 1
                return
            if first.url_key in replay.undecided:
                unchecked["answer_of_undecided"] += 1
                return
            if not with_intake or self._intake.is_trimmed:
                unchecked["submission_deleted"] += 1
                return
        elif is_from_snapshot and first.number <= _delivered(replay, first):
            unchecked["before_the_snapshot"] += 1
            return
        case_id = text_of(first.group) if first.kind == "delivery" else ""
        self._tally.find("effect_unknown", case_id, text_of(identifier), f"{first.kind} at {first.place}")

    def _note_in_flight(self, effects: list[Effect]) -> None:
        for effect in effects:
            place = effect.topic, effect.partition
            self.first_in_flight[place] = min(self.first_in_flight.get(place, effect.offset), effect.offset)

    def _check_order(self) -> None:
        lines: defaultdict[tuple[str, int, bytes], list[tuple[int, int]]] = defaultdict(list)
        for effects in self._there.values():
            first = effects[0]
            # What its topic refused comes when it is replayed, or when it is decided again after a crash:
            # clients hold the later ones back until then.
            was_refused = any(effect.offset < 0 or effect.was_too_large for effect in effects)
            if first.kind == "delivery" and not was_refused:
                lines[first.topic, first.partition, first.group].append((first.offset, first.number))
        for (topic, partition, group), line in lines.items():
            highest = 0
            for offset, number in sorted(line):
                if number < highest:
                    text = f"number {number} at {topic}/{partition}/{offset} first appears behind {highest}"
                    self._tally.find("delivery_order", text_of(group), str(number), text)
                highest = max(highest, number)


def identifier_of(posting: Posting) -> bytes:
    """Answer the id of a message in 16 bytes."""
    match posting.body:
        case Delivery(delivery_id=identifier):
            return id_bytes(identifier)
        case Receipt(receipt_id=identifier):
            return id_bytes(identifier)
        case Escalation(escalation_id=identifier):
            return id_bytes(identifier)


def _words(posting: Posting) -> tuple[str, str]:
    body = posting.body
    match body:
        case Delivery():
            return body.case_id, f"delivery {body.number} to {body.recipient}: {body.kind} of {body.fact}"
        case Receipt():
            return body.case_id or "", f"receipt to {body.recipient}: {body.outcome} for {body.event_id}"
        case Escalation():
            return body.case_id or "", f"escalation to {body.recipient}: {body.reason_code}"


def _delivered(replay: Replay, effect: Effect) -> int:
    case = replay.cases.get(effect.url_key)
    if case is None:
        return effect.number
    return max((count.number for count in case.deliveries), default=0)
