import msgspec
import pytest
from casekeeper_bench import DIRECTORY, TOPICS, Bench, act, report, wake_up

from casework.directory import Directory
from casework.dsse import signed_statement
from casework.ids import new_event_id
from casework.messages import Admitted, Receipt, Submission
from streams import wire
from streams.directory_feed import PassedOverError
from streams.key_rings import PrivateKey, Signer
from streams.transport_errors import StoreError


async def test_a_record_that_cannot_be_read_is_set_aside_alone(bench: Bench) -> None:
    """The records around it are decided; it becomes a dead letter with its bytes, or without any."""
    await bench.take(report(1), b"garbage", None, report(2, "de-eco"))
    letters = [r for send in bench.sent for r in send if r.topic == TOPICS.dead_letters]
    assert [letter.value for letter in letters] == [b"garbage", None]
    assert {receipt.recipient for receipt in bench.messages(Receipt)} == {"gb-iwf", "de-eco"}


async def test_a_record_whose_outcome_cannot_be_written_parks_its_case_alone(bench: Bench) -> None:
    """A fact that no schema takes, such as one of the year 292 million, stops neither worker nor line."""
    far = wire.decode_as(Admitted, act(2, "acknowledged", "0" * 36, b"\x01" + b"f" * 32))
    far = msgspec.structs.replace(far, admitted_at=2**63 - 1)
    await bench.take(report(1), wire.encode(far), report(3))
    assert bench.case(far.url_key).parked.rule == "UnwritableError"
    assert len(bench.messages(Receipt)) == 2


async def test_a_directory_version_that_will_never_come_sets_one_record_aside(bench: Bench) -> None:
    """Versions only rise: a record stamped with one that was passed over must not stop the line for ever."""

    async def version(number: int, _wait_s: float) -> Directory:
        if number == 0:
            raise PassedOverError("version 0")
        return DIRECTORY

    bench.known = lambda number: DIRECTORY if number else None  # type: ignore[method-assign, return-value, assignment]
    bench.version = version  # type: ignore[method-assign]
    bench.keeper._feed = bench
    lost = msgspec.structs.replace(wire.decode_as(Admitted, report(1)), directory_version=0)
    await bench.take(wire.encode(lost), report(2))
    (letter,) = [r for send in bench.sent for r in send if r.topic == TOPICS.dead_letters]
    assert dict(letter.headers)["hx-rule"] == b"unknown_directory_version"
    assert len(bench.messages(Receipt)) == 1


async def test_a_failing_disk_stops_the_worker_and_blames_no_record(bench: Bench) -> None:
    """A store that cannot be read says nothing about the record, which the next owner repeats."""
    await bench.take(report(1))
    members = tuple(
        msgspec.structs.replace(m, status="left") if m.id == "nl-offlimits" else m for m in DIRECTORY.members
    )
    bench.directory = msgspec.structs.replace(DIRECTORY, version=2, members=members)

    def get(_key: bytes) -> bytes:
        raise StoreError("no disk")

    bench.contents.get = get  # type: ignore[method-assign]
    bench.sent.clear()
    with pytest.raises(StoreError):
        await bench.take(wake_up("reassign"))
    assert not any(bench.sent)


async def test_a_disk_that_hiccups_once_costs_nothing(bench: Bench) -> None:
    """A read that fails is tried once more behind the rest of its call, before the worker gives up."""
    whole, failures = bench.cases.get, [StoreError("no disk")]

    def get(key: bytes) -> bytes | None:
        if failures:
            raise failures.pop()
        return whole(key)

    bench.cases.get = get  # type: ignore[method-assign]
    await bench.take(report(1), report(2, "de-eco"))
    assert [receipt.recipient for receipt in bench.messages(Receipt)] == ["gb-iwf", "de-eco"]


def signed_by(key: PrivateKey, value: bytes) -> bytes:
    """Answer an admitted record whose statement is signed by a key."""
    admitted = wire.decode_as(Admitted, value)
    submission = wire.decode_as(Submission, admitted.submission or b"")
    signature = Signer(key).sign(signed_statement(admitted.kind, submission.statement))
    whole = msgspec.structs.replace(submission, signature=signature, key_id=key.id)
    return wire.encode(msgspec.structs.replace(admitted, submission=wire.encode(whole)))


async def test_what_no_member_signed_is_not_decided_whoever_wrote_it(bench: Bench) -> None:
    """What did not come by intake speaks in nobody's name: unsigned, by another key, under another id."""
    keys = {name: PrivateKey.new("sign") for name in ("gb-iwf", "nl-offlimits")}
    members = tuple(
        msgspec.structs.replace(m, keys=(keys[m.id].entry(0),)) if m.id in keys else m
        for m in DIRECTORY.members
    )
    bench.directory = msgspec.structs.replace(DIRECTORY, members=members, protection="required")
    await bench.take(signed_by(keys["gb-iwf"], report(1)))
    case = bench.case()
    assert case is not None
    removed = act(2, "removed", case.case_id)
    true = signed_by(keys["nl-offlimits"], act(3, "acknowledged", case.case_id))
    again = msgspec.structs.replace(wire.decode_as(Admitted, true), event_id=new_event_id(1, bytes(10)))
    bench.sent.clear()
    await bench.take(removed, signed_by(keys["gb-iwf"], removed), wire.encode(again))
    letters = [r for send in bench.sent for r in send if r.topic == TOPICS.dead_letters]
    assert len(letters) == 3
    assert bench.case() == case
    await bench.take(true)
    assert bench.case().state == "acknowledged"  # type: ignore[union-attr] # it is there
