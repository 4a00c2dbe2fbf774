import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from casework.directory import Directory
from casework.directory_keys import NetworkKeys
from casework.dsse import signed_statement
from casework.ids import new_event_id
from casework.messages import (
    ActionContent,
    ActionStatement,
    Delivery,
    Escalation,
    Receipt,
    ReportContent,
    ReportStatement,
    Submission,
)
from casework.network_keys import holders
from casework.protection import binding_of
from casework.sealed_content import parse, to_bytes
from casework.url_keys import url_key
from casework.urls import canonical_url
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import UnprovenMessageError, UnreadableContentError, UrlKeyMismatchError
from connectors.inbox_messages import InboxMessage
from connectors.membership import Membership
from connectors.opening import Opener, statement_of
from connectors.preparing import Prepared
from connectors.sealing import seal
from operations.directory.equipping import Equipment
from operations.directory.network_keys import seal_network_key
from streams import wire
from streams.clock import ManualClock
from streams.key_rings import KeyRing, Signer
from streams.secret_sources import Secret

ORIGIN, HOST = "nl-offlimits", "be-childfocus"
NOW_MS = 1_700_000_000_000
CLOCK = ManualClock(NOW_MS, NOW_MS)
DAY_MS = 86_400_000
CASE_ID = "0199c82a-0000-8000-8000-000000000001"
URL = "https://images.example.com/canary"
Deliver = Callable[..., Delivery]


def membership(ring: KeyRing | None, member: str = ORIGIN) -> Membership:
    """Return a member's place, with its ring."""
    return Membership(member=member, environment="test", network_key=Secret(bytes(32)), kafka={}, keys=ring)


def submitted(equipment: Equipment, directory: Directory | None = None, url: str = URL) -> Submission:
    """Return the submission of a report hosted in Belgium, by the Dutch hotline."""
    draft = ReportDraft(
        url=url, hosting_country="BE", received_at=NOW_MS, reference="r-1", content_type="media"
    )
    return wire.decode_as(Submission, prepared(equipment, draft, directory).value)


def prepared(
    equipment: Equipment, draft: ReportDraft | ActionDraft, directory: Directory | None = None
) -> Prepared:
    """Return what the Dutch hotline sends for a draft."""
    return membership(equipment.rings[ORIGIN]).prepare(
        draft, directory or equipment.directory, CLOCK, lambda ms: new_event_id(ms, bytes(10))
    )


def enclosed(submission: Submission, delivery: Deliver, **changes: object) -> Delivery:
    """Return a delivery that hands a submission over."""
    statement = wire.statement_of(submission)
    fields: dict[str, Any] = {
        "recipient": HOST, "url_key": statement.url_key, "report_event_id": statement.event_id,
        "statement": submission.statement, "signature": submission.signature, "key_id": submission.key_id,
        "content": submission.content,
    }  # fmt: skip
    return delivery(1, **(fields | changes))


def opener(equipment: Equipment, member: str = HOST, directory: Directory | None = None) -> Opener:
    """Return the opener of a member."""
    ring = equipment.rings[member]
    return Opener(ring, membership(ring, member).network_keys, lambda: directory or equipment.directory)


def resigned(equipment: Equipment, submission: Submission, **changes: object) -> Submission:
    """Return a submission whose sender changed its statement and signed it again."""
    statement = msgspec.structs.replace(wire.statement_of(submission), **changes)
    framed = wire.encode(statement)
    signer = Signer(next(key for key in equipment.rings[ORIGIN].keys if key.use == "sign"))
    signature = signer.sign(signed_statement("report", framed))
    return msgspec.structs.replace(submission, statement=framed, signature=signature)


def test_what_is_delivered_opens_for_the_responsible_hotline(equipment: Equipment, delivery: Deliver) -> None:
    """A message of the inbox answers the content that the origin sealed, each time it is asked."""
    body = enclosed(submitted(equipment), delivery)
    message = InboxMessage(body, ("t", 0, 0), 0, lambda _: None, opener(equipment))
    for _ in range(2):
        content = message.open()
        assert isinstance(content, ReportContent)
        assert content.url == URL
    assert "canary" not in repr(message) + repr(message.body)


def test_a_liaison_opens_an_escalation(equipment: Equipment) -> None:
    """The police of the hosting country need neither origin nor hotline to read what they are told."""
    draft = ReportDraft(
        url=URL, hosting_country="NL", received_at=NOW_MS, reference="r-1", content_type="media"
    )
    submission = wire.decode_as(Submission, prepared(equipment, draft).value)
    statement = wire.statement_of(submission)
    escalation = Escalation(
        escalation_id="e", recipient="nl", reason_code="abuse_in_progress", is_urgent=True,
        environment="test", event_id=statement.event_id, url_key=statement.url_key, hosting_country="NL",
        origin=ORIGIN, admitted_at=1, submitted_at=1, statement=submission.statement,
        signature=submission.signature, key_id=submission.key_id, content=submission.content,
    )  # fmt: skip
    content = opener(equipment, "nl-police").open(escalation)
    assert isinstance(content, ReportContent)
    assert content.url == URL


def test_clear_content_opens_without_a_ring(directory: Directory, delivery: Deliver) -> None:
    """In demo and test without keys the same call answers the content; a changed one is still refused."""
    draft = ReportDraft(
        url=URL, hosting_country="BE", received_at=NOW_MS, reference="r-1", content_type="media"
    )
    place = membership(None)
    made = place.prepare(draft, directory, CLOCK, lambda ms: new_event_id(ms, bytes(10)))
    body = enclosed(wire.decode_as(Submission, made.value), delivery)
    clear = Opener(None, place.network_keys, lambda: directory)
    assert clear.open(body) == ReportContent(url=URL)
    other = msgspec.structs.replace(body, content=wire.encode(ReportContent(url="https://other.example/")))
    with pytest.raises(UnprovenMessageError, match="digest_mismatch"):
        clear.open(other)


def test_a_message_that_encloses_nothing_opens_to_nothing(
    equipment: Equipment, delivery: Deliver, receipt: Callable[..., Receipt]
) -> None:
    """A receipt, an update and a report whose content was erased answer None."""
    assert opener(equipment).open(delivery(1)) is None
    assert opener(equipment).open(enclosed(submitted(equipment), delivery, content=None)) is None
    message = InboxMessage(receipt("e"), ("t", 0, 0), 0, lambda _: None, opener(equipment))
    assert message.open() is None


def test_a_ring_that_is_no_reader_is_told_so(equipment: Equipment, delivery: Deliver) -> None:
    """Content for others is an error of its own, not a wrong signature."""
    with pytest.raises(UnreadableContentError, match="not_a_recipient"):
        opener(equipment, "nl-police").open(enclosed(submitted(equipment), delivery))


def test_who_said_it_is_proven_before_anything_is_opened(equipment: Equipment, delivery: Deliver) -> None:
    """Unsigned, by another member's key, altered, or of an unknown key: the exchange alone cannot say it."""
    body = enclosed(submitted(equipment), delivery)
    foreign = Signer(next(key for key in equipment.rings[HOST].keys if key.use == "sign"))
    statement = body.statement or b""
    for changes, rule in (
        ({"signature": None, "key_id": None}, "signature_missing"),
        ({"signature": bytes(64)}, "signature_mismatch"),
        ({"statement": statement[:-1] + bytes([statement[-1] ^ 1])}, "mismatch|statement"),
        ({"key_id": "unknown"}, "unknown_key"),
        (
            {"signature": foreign.sign(signed_statement("report", statement)), "key_id": foreign.key_id},
            "foreign_key",
        ),
        ({"statement": b"?"}, "statement"),
        ({"statement": wire.encode(ReportContent(url=URL))}, "unexpected_message"),
    ):
        with pytest.raises(UnprovenMessageError, match=rule):
            opener(equipment).open(msgspec.structs.replace(body, **changes))  # type: ignore[arg-type]  # by name


def test_a_key_that_ran_out_since_still_proves_and_a_stolen_one_does_not(
    equipment: Equipment, delivery: Deliver
) -> None:
    """The key is judged at the time that the signed statement names."""
    body = enclosed(submitted(equipment), delivery)

    def keyed(**changes: object) -> Directory:
        members = tuple(
            msgspec.structs.replace(
                member, keys=tuple(msgspec.structs.replace(key, **changes) for key in member.keys)
            )
            if member.id == ORIGIN
            else member
            for member in equipment.directory.members
        )
        return msgspec.structs.replace(equipment.directory, members=members)

    for counts in (keyed(valid_until=NOW_MS - 1), keyed(revoked_at=NOW_MS + 1)):
        assert opener(equipment, directory=counts).open(body) is not None
    with pytest.raises(UnprovenMessageError, match="key_revoked"):
        opener(equipment, directory=keyed(revoked_at=NOW_MS)).open(body)
    stolen = keyed(revoked_at=NOW_MS + 1)
    for fact in ("assigned", "linked"):
        backdated = msgspec.structs.replace(body, fact=fact, submitted_at=NOW_MS + 1)
        with pytest.raises(UnprovenMessageError, match="key_revoked"):
            opener(equipment, directory=stolen).open(backdated)
    later = msgspec.structs.replace(body, fact="assigned", leg=2, submitted_at=NOW_MS + 1)
    assert opener(equipment, directory=stolen).open(later) is not None


def test_a_word_that_is_handed_on_is_proven_by_the_time_it_was_said(
    equipment: Equipment, delivery: Deliver
) -> None:
    """A new address opens for a hotline that gets the case days later, when its sender has another key."""
    draft = ActionDraft(
        action="moved", hosting_country="NL", new_hosting_country="BE", case_id=CASE_ID, url=URL,
        new_url="https://new.example/1", hosting_method="whois", observed_at=NOW_MS,
    )  # fmt: skip
    submission = wire.decode_as(Submission, prepared(equipment, draft).value)
    told = {"kind": "update", "fact": "moved", "by": ORIGIN, "case_id": CASE_ID, "report_event_id": None}
    body = enclosed(submission, delivery, **told, fact_ref=3, submitted_at=NOW_MS + DAY_MS)
    members = tuple(
        msgspec.structs.replace(
            one, keys=tuple(msgspec.structs.replace(key, revoked_at=NOW_MS + 1) for key in one.keys)
        )
        if one.id == ORIGIN
        else one
        for one in equipment.directory.members
    )
    later = msgspec.structs.replace(equipment.directory, members=members)
    content = opener(equipment, directory=later).open(body)
    assert isinstance(content, ActionContent)
    assert content.new_url == "https://new.example/1"
    with pytest.raises(UnprovenMessageError, match="key_revoked"):
        opener(equipment, directory=later).open(msgspec.structs.replace(body, fact_ref=None))
    with pytest.raises(UnprovenMessageError, match="foreign_statement"):
        opener(equipment).open(msgspec.structs.replace(body, by=HOST))


def test_content_that_is_not_the_statements_is_refused(equipment: Equipment, delivery: Deliver) -> None:
    """Swapped, taken from another submission, in another form or in the clear: named, and not shown."""
    submission = submitted(equipment)
    statement = wire.statement_of(submission)
    keys = [key.entry(0) for key in equipment.rings[HOST].keys if key.use == "seal"]
    mine = wire.encode(ReportContent(url="https://planted.example/"))
    swapped = to_bytes(seal(mine, keys, binding_of(statement)))
    for content in (swapped, submission.content[:-1], mine):  # type: ignore[index]  # it has content
        with pytest.raises(UnprovenMessageError):
            opener(equipment).open(enclosed(submission, delivery, content=content))
    moved = resigned(equipment, submission, event_id=new_event_id(NOW_MS, bytes([1] * 10)))
    with pytest.raises(UnreadableContentError, match="wrong_binding"):
        opener(equipment).open(enclosed(moved, delivery))


def test_a_report_cannot_be_handed_over_as_another(equipment: Equipment, delivery: Deliver) -> None:
    """The statement is the one that the message names, and about the place of its case."""
    submission = submitted(equipment)
    for changes in ({"report_event_id": "other"}, {"url_key": b"\x01" + bytes(32)}):
        with pytest.raises(UnprovenMessageError, match="foreign_statement"):
            opener(equipment).open(enclosed(submission, delivery, **changes))


def lying(equipment: Equipment, key: bytes, url: str = URL) -> Submission:
    """Return a report that its own sender has filed under a url key of its choice."""
    first = submitted(equipment)
    statement = msgspec.structs.replace(wire.statement_of(first), url_key=key)
    keys = [key.entry(0) for key in equipment.rings[HOST].keys if key.use == "seal"]
    sealed = seal(wire.encode(ReportContent(url=url)), keys, binding_of(statement))
    changed = msgspec.structs.replace(first, content=to_bytes(sealed))
    return resigned(equipment, changed, url_key=key, content_digest=sealed.digest)


def test_a_report_filed_under_another_address_is_told(equipment: Equipment, delivery: Deliver) -> None:
    """The url key is computed again on opening; a wrong, a future and an impossible one are mismatches."""
    true_key = url_key(canonical_url(URL), equipment.network_key.reveal())
    assert opener(equipment).open(enclosed(lying(equipment, true_key), delivery)) is not None
    other = url_key(canonical_url("https://other.example/"), equipment.network_key.reveal())
    for key in (other, bytes([9]) + true_key[1:], bytes([2]) + true_key[1:]):
        with pytest.raises(UrlKeyMismatchError, match="url_key_mismatch"):
            opener(equipment).open(enclosed(lying(equipment, key), delivery))
    with pytest.raises(UrlKeyMismatchError):
        opener(equipment).open(enclosed(lying(equipment, true_key, "no address"), delivery))


def test_a_key_that_the_directory_no_longer_carries_is_left_unchecked(
    equipment: Equipment, delivery: Deliver
) -> None:
    """A case from before a change of network keys stays readable, although nobody can compute its key."""
    body = enclosed(submitted(equipment), delivery)
    sealed = seal_network_key(Secret(b"n" * 32), "test", 2, holders(equipment.directory, 0))
    later = msgspec.structs.replace(equipment.directory, network_keys=NetworkKeys(2, (sealed,)))
    assert opener(equipment, directory=later).open(body) is not None


CASE = "018bcfe5-687b-8000-8000-000000000000"


def acted(equipment: Equipment) -> Submission:
    """Return what the Dutch hotline sends to acknowledge a case."""
    draft = ActionDraft(
        action="acknowledged", hosting_country="BE", url_key=b"\x01" + bytes(32), note="n", case_id=CASE
    )
    return wire.decode_as(Submission, prepared(equipment, draft).value)


def told(submission: Submission, delivery: Deliver, **changes: object) -> Delivery:
    """Return the update that tells another member of an action."""
    fields = {"case_id": CASE, "by": ORIGIN, "fact": "acknowledged", "content": None, "report_event_id": None}
    return enclosed(submission, delivery, **(fields | changes))


def test_an_action_cannot_be_told_as_another(equipment: Equipment, delivery: Deliver) -> None:
    """A true statement is refused where the message tells of another case, place, action or member by it."""
    submission = acted(equipment)
    assert opener(equipment).open(told(submission, delivery)) is None
    for changes in (
        {"fact": "removed"},
        {"by": HOST},
        {"case_id": "018bcfe5-687b-8000-8000-000000000001"},
        {"url_key": b"\x01" + bytes(31) + b"2"},
    ):
        with pytest.raises(UnprovenMessageError, match="foreign_statement"):
            opener(equipment).open(told(submission, delivery, **changes))


def test_an_action_without_its_statement_is_nobodys(equipment: Equipment, delivery: Deliver) -> None:
    """The exchange cannot say alone what a member has done; what follows from its own rules it can."""
    bare = {"statement": None, "signature": None, "key_id": None}
    for fact in ("removed", "assessed", "observed", "key_mismatch"):
        with pytest.raises(UnprovenMessageError, match="statement_missing"):
            opener(equipment).open(told(acted(equipment), delivery, fact=fact, **bare))
    for changes in ({"fact": "acknowledged"}, {"fact": "closed", "by": "exchange"}, {"fact": "linked"}):
        assert opener(equipment).open(told(acted(equipment), delivery, **(bare | changes))) is None


def test_a_statement_of_another_exchange_or_origin_is_refused(
    equipment: Equipment, delivery: Deliver
) -> None:
    """A report of a test exchange is none here although one key signs both; nor is it somebody else's."""
    submission = submitted(equipment)
    elsewhere = resigned(equipment, submission, environment="demo")
    for body in (enclosed(elsewhere, delivery), enclosed(submission, delivery, origin=HOST)):
        with pytest.raises(UnprovenMessageError, match="foreign_statement"):
            opener(equipment).open(body)


def test_an_action_is_proven_as_an_action(equipment: Equipment, delivery: Deliver) -> None:
    """An action's statement comes without content; its signature over an action is still asked for."""
    submission = acted(equipment)
    body = told(submission, delivery)
    assert isinstance(statement_of(body), ActionStatement)
    assert opener(equipment).open(body) is None
    with_content = msgspec.structs.replace(body, content=submission.content)
    with pytest.raises(UnprovenMessageError):
        opener(equipment).open(msgspec.structs.replace(with_content, signature=bytes(64)))


def test_content_that_is_no_content_is_an_error_by_rule(equipment: Equipment, delivery: Deliver) -> None:
    """What opens and is no framed report content never reaches a program as something else."""
    submission = submitted(equipment)
    statement = wire.decode_as(ReportStatement, submission.statement)
    keys = [key.entry(0) for key in equipment.rings[HOST].keys if key.use == "seal"]
    for content in (b"", b"?" * 40, submission.statement, hashlib.sha256(b"").digest()):
        sealed = seal(content, keys, binding_of(statement))
        changed = msgspec.structs.replace(submission, content=to_bytes(sealed))
        body = enclosed(resigned(equipment, changed, content_digest=sealed.digest), delivery)
        with pytest.raises(UnreadableContentError):
            opener(equipment).open(body)
    assert parse(submission.content or b"").recipients
