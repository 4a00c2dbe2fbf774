from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from casework.directory import CountryRule, Directory, HotlineShare, Member
from casework.ids import new_event_id
from casework.messages import ActionStatement, Delivery, ReportContent, Submission
from casework.protection import check_protection
from casework.sealed_content import parse
from connectors.drafts import ReportDraft
from connectors.errors import SealError, UnprovenMessageError, UnreadableContentError
from connectors.membership import Membership
from connectors.opening import Opener
from connectors.preparing import Prepared
from connectors.rewrapping import build_rewrap, is_request
from connectors.sealing import open_sealed
from operations.directory.equipping import Equipment, equip
from streams import wire
from streams.clock import ManualClock
from streams.secret_sources import Secret

ORIGIN, FIRST, NEXT = "nl-offlimits", "be-childfocus", "de-fsm"
NOW_MS = 1_700_000_000_000
CLOCK = ManualClock(NOW_MS, NOW_MS)
URL = "https://images.example.com/canary"
Deliver = Callable[..., Delivery]


@pytest.fixture
def equipment(directory: Directory) -> Equipment:
    """Return the directory with keys and a third hotline, to which cases move."""
    members = (*directory.members, Member(NEXT, "hotline", "Germany", ("DE",), status="active"))
    countries = (*directory.countries, CountryRule("DE", "Germany", hotlines=(HotlineShare(NEXT),)))
    wider = msgspec.structs.replace(
        directory, members=tuple(sorted(members, key=lambda member: member.id)), countries=countries
    )
    return equip(wider, at=0)


def membership(equipment: Equipment, member: str) -> Membership:
    """Return a member's place, with its ring."""
    return Membership(
        member=member,
        environment="test",
        network_key=Secret(bytes(32)),
        kafka={},
        keys=equipment.rings[member],
    )


def event_id(now_ms: int) -> str:
    """Return an event id."""
    return new_event_id(now_ms, bytes(10))


def report(equipment: Equipment) -> Prepared:
    """Return a report hosted in Belgium, by the Dutch hotline."""
    draft = ReportDraft(
        url=URL, hosting_country="BE", received_at=NOW_MS, reference="r-1", content_type="media"
    )
    return membership(equipment, ORIGIN).prepare(draft, equipment.directory, CLOCK, event_id)


def request(made: Prepared, delivery: Deliver, **changes: object) -> Delivery:
    """Return the exchange's request to re-wrap a report for the German hotline."""
    submission = wire.decode_as(Submission, made.value)
    fields: dict[str, Any] = {
        "kind": "rewrap_request", "fact": "rewrap_asked", "url_key": made.url_key,
        "case_id": "018bcfe5-687b-8000-8000-000000000000",
        "report_event_id": made.event_id, "hosting_country": "DE", "assigned_country": "DE",
        "assigned_hotline": NEXT, "statement": submission.statement, "signature": submission.signature,
        "key_id": submission.key_id, "content": submission.content,
    }  # fmt: skip
    return delivery(3, **(fields | changes))


def answer(
    equipment: Equipment, body: Delivery, member: str = ORIGIN, directory: Directory | None = None
) -> Prepared:
    """Return the member's answer to a request."""
    place, current = membership(equipment, member), directory or equipment.directory
    opener = Opener(place.keys, place.network_keys, lambda: current)
    return build_rewrap(body, opener, place.sender(current, event_id), place.admission(current, CLOCK))


@pytest.mark.parametrize("member", [ORIGIN, FIRST])
def test_a_request_is_answered_for_those_responsible(
    equipment: Equipment, delivery: Deliver, member: str
) -> None:
    """Origin or former hotline append the new one; statement, content and binding stay the report's."""
    made = report(equipment)
    body = request(made, delivery)
    assert is_request(body)
    built = answer(equipment, body, member)
    submission = wire.decode_as(Submission, built.value)
    statement = built.statement
    assert isinstance(statement, ActionStatement)
    assert (statement.action, statement.sender, statement.case_id) == ("rewrap", member, body.case_id)
    assert (statement.report_event_id, statement.url_key) == (made.event_id, made.url_key)
    assert statement.content_digest == made.statement.content_digest
    assert built.after is None
    assert not list(check_protection(statement, submission, equipment.directory))
    before, after = parse(body.content or b""), parse(submission.content or b"")
    assert after.recipients[: len(before.recipients)] == before.recipients
    added = {equipment.directory.keys_by_id[key_id][0] for key_id in set(after.key_ids) - set(before.key_ids)}
    assert added == {NEXT} | ({member} - {ORIGIN, FIRST})
    opened = wire.decode_as(ReportContent, open_sealed(after, equipment.rings[NEXT]))
    assert opened.url == URL


def test_without_a_responsible_hotline_the_mandated_ones_are_added(
    equipment: Equipment, delivery: Deliver
) -> None:
    """A case at the orphan desk is re-wrapped for whoever may claim it."""
    body = request(
        report(equipment), delivery, assigned_hotline=None, assigned_country=None, hosting_country="XT"
    )
    built = answer(equipment, body, FIRST)
    content = parse(wire.decode_as(Submission, built.value).content or b"")
    readers = {equipment.directory.keys_by_id[key_id][0] for key_id in content.key_ids}
    assert readers == {ORIGIN, FIRST, "nl-police"}


def barred(directory: Directory, *members: str) -> Directory:
    """Return the directory in which some members may receive from Belgium only."""
    return msgspec.structs.replace(
        directory,
        members=tuple(
            msgspec.structs.replace(member, may_receive_from=("BE",)) if member.id in members else member
            for member in directory.members
        ),
    )


@pytest.mark.parametrize("member", [ORIGIN, FIRST])
def test_nobody_is_added_who_may_not_receive_from_the_origin(
    equipment: Equipment, delivery: Deliver, member: str
) -> None:
    """Whoever re-wraps, the origin decides: who is responsible is refused, others are not added."""
    body = request(report(equipment), delivery)
    with pytest.raises(SealError, match=f"{NEXT} may not receive"):
        answer(equipment, body, member, barred(equipment.directory, NEXT))
    moved = request(
        report(equipment), delivery, assigned_hotline=NEXT, assigned_country="NL", hosting_country="NL"
    )
    shared = msgspec.structs.replace(
        equipment.directory,
        countries=tuple(
            msgspec.structs.replace(rule, hotlines=(*rule.hotlines, HotlineShare(NEXT)))
            if rule.code == "NL"
            else rule
            for rule in equipment.directory.countries
        ),
    )
    built = answer(equipment, moved, member, barred(shared, "nl-police"))
    added = set(parse(wire.decode_as(Submission, built.value).content or b"").key_ids)
    assert not {key.id for key in equipment.directory.member("nl-police").keys} & added


def test_nobody_is_added_whom_the_directory_does_not_name(equipment: Equipment, delivery: Deliver) -> None:
    """A request for somebody unknown, gone, no hotline, of another country or without key is not answered."""
    made = report(equipment)
    for hotline in ("nobody", "gone", "nl-police", FIRST, ORIGIN):
        with pytest.raises(SealError, match="no active hotline of the country"):
            answer(equipment, request(made, delivery, assigned_hotline=hotline))
    with pytest.raises(SealError, match="has an active hotline"):
        answer(equipment, request(made, delivery, assigned_hotline=None))
    bare = msgspec.structs.replace(
        equipment.directory,
        members=tuple(
            msgspec.structs.replace(member, keys=()) if member.id == NEXT else member
            for member in equipment.directory.members
        ),
    )
    with pytest.raises(SealError, match=NEXT):
        answer(equipment, request(made, delivery), directory=bare)


def test_what_cannot_be_proven_or_opened_is_not_rewrapped(equipment: Equipment, delivery: Deliver) -> None:
    """A forged report, stripped or swapped content, and content of others get no new readers."""
    made = report(equipment)
    other = report(equipment)
    foreign = wire.decode_as(Submission, other.value).content
    with pytest.raises(UnprovenMessageError):
        answer(equipment, request(made, delivery, signature=bytes(64)))
    for content in (None, b"{}", foreign):
        with pytest.raises(UnreadableContentError):
            answer(equipment, request(made, delivery, content=content))
    with pytest.raises(UnreadableContentError, match="not_a_recipient"):
        answer(equipment, request(made, delivery), "nl-police")
    with pytest.raises(SealError, match="nobody to add"):
        answer(equipment, request(made, delivery, assigned_country="BE", assigned_hotline=FIRST))


def test_only_a_request_is_one(delivery: Deliver) -> None:
    """Other deliveries and other messages ask for nothing."""
    assert not is_request(delivery(1))
    assert not is_request(None)
