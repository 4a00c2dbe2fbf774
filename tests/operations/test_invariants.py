"""Whoever steals, doubles, swaps or alters a record of any topic is noticed, and by the right name."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from paper_exchange import PARTITIONS, PaperExchange, lived

from agents.dead_letters import DeadLetterBox
from casework.messages import Admitted, Case, Delivery, Escalation, Fact, Message, Receipt
from operations.invariants import check, examine
from operations.reading import Record
from schemas.errors import UnreadableError
from streams import wire
from streams.publishing import Outgoing
from streams.topics import Topics

pytestmark = pytest.mark.slow

Records = list[Record]
Choose = Callable[[Record, Any], bool]
TOPICS = Topics()


@pytest.fixture(scope="module")
def paper() -> PaperExchange:
    """Return an exchange in which everything that leaves a trace has happened."""
    return lived()


def message(record: Record) -> Message | None:
    """Return what a record says, if it can be read."""
    try:
        return wire.decode(record.value or b"")
    except UnreadableError:
        return None


def is_wake_up(record: Record) -> bool:
    """Return whether a record only says that time has passed."""
    told = message(record)
    return isinstance(told, Admitted) and told.kind == "wakeup"


def found(paper: PaperExchange, records: Records) -> set[str]:
    """Return the names of what is broken."""
    return {violation.rule for violation in check(paper.history(records))}


def first(records: Records, topic: str, choose: Choose = lambda _record, _message: True) -> int:
    """Return the index of the first record of a topic that is chosen."""
    return next(
        index for index, each in enumerate(records)
        if each.topic.startswith(topic) and choose(each, message(each))
    )  # fmt: skip


def of_kind(kind: type[Message], /, **fields: object) -> Choose:
    """Return a choice of messages of a kind with these fields."""
    return lambda _, found: (
        isinstance(found, kind) and all(getattr(found, name) == value for name, value in fields.items())
    )


def changed(record: Record, **fields: object) -> Record:
    """Return a record with some fields of its message changed."""
    told = message(record)
    assert told is not None
    return record._replace(value=wire.encode(msgspec.structs.replace(told, **fields)))


def behind(records: Records, topic: str, partition: int) -> int:
    """Return the next offset of a partition."""
    offsets = [r.offset for r in records if (r.topic, r.partition) == (topic, partition)]
    return max(offsets, default=-1) + 1


def appended(records: Records, record: Record) -> Records:
    """Return the records with one more at the end of its partition."""
    return [*records, record._replace(offset=behind(records, record.topic, record.partition))]


def swapped(records: Records, one: int, other: int) -> Records:
    """Return the records with two of one partition in each other's place."""
    a, b = records[one], records[other]
    assert (a.topic, a.partition) == (b.topic, b.partition)
    copy = list(records)
    copy[one] = b._replace(offset=a.offset)
    copy[other] = a._replace(offset=b.offset)
    return copy


def test_an_exchange_in_which_everything_happened_is_whole(paper: PaperExchange) -> None:
    """Nothing is found where nothing is wrong, and everything was decided again."""
    outcome = examine(paper.history())
    assert outcome.violations == ()
    assert outcome.verification.unchecked == {}
    counts = outcome.verification.counts
    assert counts["facts"] == counts["facts_decided"] > 20
    assert counts["effects"] == counts["effects_made"] + 2  # a refusal and an urgent escalation are intake's


def test_a_wake_up_that_came_too_late_to_be_decided_is_no_violation() -> None:
    """What stands behind casekeeper's commits is under way; without them it would be missing."""
    paper = PaperExchange()
    url = "https://material.example.test/late"
    paper.report(url)
    before = len(paper.records)
    decided_to = {
        partition: behind(paper.records, TOPICS.cases_admitted, partition) for partition in range(PARTITIONS)
    }
    paper.wake(url, hours=100)
    (woken, *decided) = paper.records[before:]
    assert is_wake_up(woken)
    assert decided
    history = paper.history(paper.records[: before + 1])
    assert check(msgspec.structs.replace(history, decided_to=decided_to)) == ()
    assert {violation.rule for violation in check(history)} >= {"effect_missing", "fact_missing"}


@pytest.mark.parametrize("value", [b"anything", None])
def test_a_dead_letter_that_hides_a_report_is_noticed(value: bytes | None) -> None:
    """With other bytes than the record it names it is altered; with the right ones it is counted."""
    paper = lived()
    before = len(paper.records)
    paper.report("https://material.example.test/hidden")
    submission = paper.records[before]
    letter = paper.records[first(paper.records, TOPICS.dead_letters)]
    named = dict(zip(("hx-topic", "hx-partition", "hx-offset"), map(str, submission[:3]), strict=True))
    forged = letter._replace(
        headers=tuple(
            (name, named[name].encode() if name in named else told) for name, told in letter.headers
        ),
        value=submission.value if value is None else value,
    )
    assert forged.headers != letter.headers
    outcome = examine(paper.history(appended([*paper.records[:before], submission], forged)))
    assert outcome.verification.unchecked == {"dead_letter_admissible": 1}
    rules = {violation.rule for violation in outcome.violations}
    assert rules == (set() if value is None else {"dead_letter_altered"})


@pytest.mark.parametrize("topic", ["inbox.", "escalations."])
def test_a_message_under_another_key_is_misplaced(paper: PaperExchange, topic: str) -> None:
    """Its case's messages would no longer lie in one partition, in order."""
    records = list(paper.records)
    place = first(records, topic)
    records[place] = records[place]._replace(key=bytes(33))
    assert found(paper, records) == {"effect_misplaced"}


REPEATED = ("cases.admitted", "cases.events", "cases.contents", "inbox.", "escalations.", "dead-letters")


def test_what_a_crash_repeats_is_no_violation(paper: PaperExchange) -> None:
    """Every record but states twice, as after a crash: nothing is found, and the repeats are counted."""
    records: Records = list(paper.records)
    for record in paper.records:
        if record.topic.startswith(REPEATED) and record.topic != TOPICS.cases_admitted:
            records = appended(records, record)
    outcome = examine(paper.history(records))
    assert outcome.violations == ()
    counts = outcome.verification.counts
    assert counts["facts_repeated"] == counts["facts_decided"]
    assert counts["effects_repeated"] == counts["effects_made"] + 2


LOST = {
    "reports.submitted": {"lost", "admission_unknown", "source_missing"},
    "reports.urgent": {"lost", "admission_unknown", "effect_unknown"},
    "actions.submitted": {"lost", "admission_unknown"},
    "cases.admitted": {"admission_missing", "fact_unknown", "state_unknown", "effect_unknown"},
    "cases.events": {"lost", "fact_gap", "fact_missing"},
    "cases.contents": {"content_missing"},
    "escalations.": {"effect_missing", "lost"},
    "inbox.nl-offlimits": {"effect_missing"},
    "inbox.gb-iwf": {"effect_missing"},
    "dead-letters": {"dead_letter_missing", "lost"},
}


@pytest.mark.parametrize("topic", LOST)
def test_every_single_lost_record_is_noticed(paper: PaperExchange, topic: str) -> None:
    """Whichever record of a topic is missing, something is found, and among all the right names."""
    names: set[str] = set()
    for index, record in enumerate(paper.records):
        if record.topic.startswith(topic):
            rest = paper.records[:index] + paper.records[index + 1 :]
            broken = found(paper, rest)
            assert broken, record
            names |= broken
    assert names >= LOST[topic]


def test_a_lost_newest_state_is_noticed(paper: PaperExchange) -> None:
    """Without the newest state of a case its state is not what its facts make; without any it is missing."""
    newest = {r.key: r for r in paper.records if r.topic == TOPICS.cases_status}
    last = next(r for r in newest.values() if r.value is not None)
    rest = [r for r in paper.records if r is not last]
    assert found(paper, rest) & {"state_missing", "state_differs"}
    none = [r for r in paper.records if r.topic != TOPICS.cases_status or r.key != last.key]
    assert "state_missing" in found(paper, none)


def test_every_single_altered_byte_of_the_exchange_is_noticed(paper: PaperExchange) -> None:
    """A record of the exchange's own with one bit turned, at its end or in its middle, is found."""
    for index, record in enumerate(paper.records):
        own = record.topic.startswith((*REPEATED, "cases.status")) and record.topic != TOPICS.dead_letters
        if not own or record.value is None or is_wake_up(record):
            continue  # a wake-up may come at any time
        for at in (len(record.value) // 2, len(record.value) - 1):
            value = bytearray(record.value)
            value[at] ^= 1
            copy = list(paper.records)
            copy[index] = record._replace(value=bytes(value))
            assert found(paper, copy), (record.topic, record.offset, at)


def _alter(topic: str, choose: Choose, **fields: object) -> Callable[[Records], Records]:
    def alter(records: Records) -> Records:
        index = first(records, topic, choose)
        copy = list(records)
        copy[index] = changed(records[index], **fields)
        return copy

    return alter


def _forge(topic: str, choose: Choose, **fields: object) -> Callable[[Records], Records]:
    def forge(records: Records) -> Records:
        return appended(records, changed(records[first(records, topic, choose)], **fields))

    return forge


def _misplace(topic: str, choose: Choose, to: str) -> Callable[[Records], Records]:
    def misplace(records: Records) -> Records:
        index = first(records, topic, choose)
        moved = records[index]._replace(topic=to)
        return appended(records[:index] + records[index + 1 :], moved)

    return misplace


def _swap(topic: str, choose: Choose) -> Callable[[Records], Records]:
    def swap(records: Records) -> Records:
        one = first(records, topic, choose)
        a = records[one]
        other = next(
            index for index in range(one + 1, len(records))
            if (records[index].topic, records[index].partition, records[index].key)
            == (a.topic, a.partition, a.key) and choose(records[index], message(records[index]))
        )  # fmt: skip
        return swapped(records, one, other)

    return swap


def _older_state_behind(records: Records) -> Records:
    return appended(records, records[first(records, TOPICS.cases_status, of_kind(Case))])


def _late_state_repaired(records: Records) -> Records:
    late = records[first(records, TOPICS.cases_status, of_kind(Case))]
    newest = [r for r in records if r.topic == TOPICS.cases_status and r.key == late.key][-1]
    return appended(appended(records, late), newest)


def _wrong_key(records: Records) -> Records:
    index = first(records, TOPICS.cases_events)
    copy = list(records)
    copy[index] = records[index]._replace(key=b"\1" + bytes(32))
    return copy


def _stored_of_nothing(records: Records) -> Records:
    content = records[first(records, TOPICS.cases_contents)]
    return appended(records, content._replace(key=(content.key or b"")[:33] + b"another-report"))


def _unpublished(records: Records) -> Records:
    return [
        r._replace(value=b"?") if r.topic == TOPICS.cases_events and r.offset == 1 else r for r in records
    ]


ID = "019a0000-0000-8000-8000-000000000000"
TABLE: dict[str, tuple[Callable[[Records], Records], str]] = {
    "a delivery altered": (_alter("inbox.", of_kind(Delivery), state="closed"), "effect_altered"),
    "a receipt altered": (_alter("inbox.", of_kind(Receipt), outcome="refused"), "effect_altered"),
    "a refusal altered": (
        _alter("inbox.", of_kind(Receipt, outcome="refused"), message="no"), "effect_altered"),
    "an escalation altered": (_alter("escalations.", of_kind(Escalation), origin="de-eco"), "effect_altered"),
    "content taken out of a delivery": (
        _alter("inbox.nl-offlimits", of_kind(Delivery, kind="assignment"), content=None), "lost"),
    "a second delivery under one id": (
        _forge("inbox.", of_kind(Delivery), state="closed"), "effect_conflict"),
    "a receipt under one id twice": (_forge("inbox.", of_kind(Receipt), outcome="refused"), "conflict"),
    "a delivery nobody made": (_forge("inbox.", of_kind(Delivery), delivery_id=ID), "effect_unknown"),
    "a receipt nobody made": (_forge("inbox.", of_kind(Receipt), receipt_id=ID), "effect_unknown"),
    "an escalation nobody made": (
        _forge("escalations.", of_kind(Escalation), escalation_id=ID), "effect_unknown"),
    "a delivery in another's inbox": (
        _misplace("inbox.nl-offlimits", of_kind(Delivery), "inbox.de-eco"), "effect_misplaced"),
    "deliveries swapped": (_swap("inbox.gb-iwf", of_kind(Delivery)), "delivery_order"),
    "a fact altered": (_alter("cases.events", of_kind(Fact), by="de-eco"), "fact_altered"),
    "a second fact under one number": (_forge("cases.events", of_kind(Fact), by="de-eco"), "fact_conflict"),
    "a fact nobody decided": (_forge("cases.events", of_kind(Fact, number=8), number=9), "fact_unknown"),
    "a fact of an earlier record": (
        _forge("cases.events", of_kind(Fact, number=3), number=90), "source_backwards"),
    "facts swapped": (_swap("cases.events", of_kind(Fact)), "fact_order"),
    "a fact under another key": (_wrong_key, "fact_misplaced"),
    "a fact that is none": (_unpublished, "unreadable"),
    "a state altered": (_alter("cases.status", of_kind(Case), state="closed"), "state_altered"),
    "a newest state altered": (
        _alter("cases.status", of_kind(Case, number=8), outcome="unavailable"), "state_differs"),
    "a state of no case": (
        _forge("cases.status", of_kind(Case, number=8), case_id=ID), "state_altered"),
    "an older state behind the newest": (_older_state_behind, "state_not_newest"),
    "an admission altered": (_alter("cases.admitted", lambda *_: True, sender="de-eco"), "admission_altered"),
    "an admission of nothing": (
        _forge("cases.admitted", lambda *_: True, source_offset=999), "admission_unknown"),
    "a content of no report": (_stored_of_nothing, "content_unknown"),
    "a content altered": (_alter("cases.contents", lambda *_: True, sender="de-eco"), "content_altered"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_a_theft_has_its_name(paper: PaperExchange, name: str) -> None:
    """Each way to falsify the logs is reported under the name of what it is."""
    falsify, rule = TABLE[name]
    broken = found(paper, falsify(paper.records))
    assert rule in broken, broken


def test_a_late_state_is_harmless_once_the_owner_wrote_its_newest_again(paper: PaperExchange) -> None:
    """The late write of a worker that lost its partition is no violation when the newest follows it."""
    assert found(paper, _late_state_repaired(paper.records)) == set()


def test_an_erased_content_is_counted_and_nothing_is_missing(paper: PaperExchange) -> None:
    """A tombstone in the store of contents is an erasure, not a loss."""
    content = paper.records[first(paper.records, TOPICS.cases_contents)]
    outcome = examine(paper.history(appended(paper.records, content._replace(value=None))))
    assert outcome.violations == ()
    assert outcome.verification.unchecked == {"content_erased": 1}


def test_a_delivery_that_was_too_large_for_a_while_may_come_late_and_no_smaller_one(
    paper: PaperExchange,
) -> None:
    """Refused by its inbox before the worker died, it comes when it is decided again; smaller ones do not."""
    inbox = TOPICS.inbox("gb-iwf")
    index = first(paper.records, inbox, of_kind(Delivery, number=2))
    late = paper.records[index]
    again = appended(paper.records[:index] + paper.records[index + 1 :], late)
    size = len(late.value or b"")
    for limit, rules in ((size, set()), (size * 4, {"delivery_order"})):
        history = msgspec.structs.replace(paper.history(again), narrow={inbox: limit})
        assert {violation.rule for violation in examine(history).violations} == rules


def test_a_delivery_that_its_inbox_refused_may_come_late_and_no_other(paper: PaperExchange) -> None:
    """What was set aside and replayed comes after later ones, held back by clients; the others keep order."""
    box, inbox = DeadLetterBox(TOPICS.dead_letters, "casekeeper"), TOPICS.inbox("gb-iwf")
    index = first(paper.records, inbox, of_kind(Delivery, number=2))
    late = paper.records[index]
    refused = Outgoing(inbox, late.partition, late.key, late.value)
    letter = box.undeliverable(refused, "too_large", partitions=1, failed_at=late.timestamp)
    set_aside = late._replace(topic=letter.topic, partition=0, headers=tuple(letter.headers))
    rest = paper.records[:index] + paper.records[index + 1 :]
    replayed = appended(appended(rest, set_aside), late)
    assert found(paper, replayed) == set()
    assert "delivery_order" in found(paper, _swap(inbox, of_kind(Delivery))(replayed))
