import msgspec

from casework.messages import Delivery, Fact
from operations.chaos.evidence import Effects
from operations.reading import Record
from streams import wire

URL_KEY = bytes(32)


def fact(number: int, case_id: str = "case") -> Fact:
    """Answer a fact of a case."""
    return Fact(
        case_id=case_id, url_key=URL_KEY, number=number, fact="acknowledged", round=1, leg=1,
        fact_id=f"{case_id}-{number}", input_id="input", environment="test", by="nl-a", occurred_at=1,
        admitted_at=1, submitted_at=1, directory_version=1, rules_version=1,
        source_topic="cases.admitted", source_partition=0, source_offset=number,
    )  # fmt: skip


def delivery(number: int, recipient: str) -> Delivery:
    """Answer a delivery of the case."""
    return Delivery(
        case_id="case", url_key=URL_KEY, recipient=recipient, number=number, kind="update",
        delivery_id=f"{recipient}-{number}", environment="test", round=1, leg=1, state="assigned",
        fact="opened", fact_number=1, by="nl-a", occurred_at=1, admitted_at=1, submitted_at=1,
    )  # fmt: skip


def violations(*messages: Fact | Delivery, topic: str = "cases.events") -> list[str]:
    """Answer the promises that messages in this order break."""
    effects = Effects()
    for offset, each in enumerate(messages):
        effects.take(Record(topic, 0, offset, 0, URL_KEY, wire.encode(each), ()))
    return [violation.promise for violation in effects.violations()]


def test_what_a_crash_repeats_unchanged_is_a_duplicate_and_no_violation() -> None:
    """At least once is promised: the same bytes under the same id again are counted, not blamed."""
    effects = Effects()
    for offset, each in enumerate([fact(1), fact(2), fact(1), fact(2), fact(3)]):
        effects.take(Record("cases.events", 0, offset, 0, URL_KEY, wire.encode(each), ()))
    assert list(effects.violations()) == []
    assert (effects.records["fact"], effects.duplicates["fact"]) == (5, 2)


def test_a_repeated_effect_with_other_bytes_is_a_violation() -> None:
    """Two workers that decided differently under one id are found out."""
    changed = msgspec.structs.replace(fact(1), round=2)
    assert violations(fact(1), changed) == ["a repeated effect has identical bytes"]


def test_an_effect_that_comes_too_late_is_a_violation() -> None:
    """A zombie's fact behind its successor's breaks the order of the case, other cases do not."""
    assert violations(fact(1), fact(3), fact(2)) == ["a case's effects keep their order"]
    assert violations(fact(1), fact(1, case_id="other"), fact(2), fact(2, case_id="other")) == []


def test_deliveries_are_ordered_by_case_and_recipient() -> None:
    """Numbers of one recipient say nothing about those of another; each recipient's only grow."""
    mixed = [delivery(1, "nl-a"), delivery(2, "nl-a"), delivery(1, "de-b")]
    assert violations(*mixed, topic="inbox.nl-a") == []
    late = violations(*mixed, delivery(3, "de-b"), delivery(2, "de-b"), topic="inbox.nl-a")
    assert late == ["a case's effects keep their order"]
