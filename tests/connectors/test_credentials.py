"""User names and passwords travel apart from the content, so that they can be erased before it."""

from collections.abc import Callable

import msgspec
import pytest

from casework.ids import new_event_id
from casework.messages import Delivery, ReportContent, ReportStatement, Submission
from casework.protection import check_protection
from connectors.drafts import ReportDraft
from connectors.errors import UnprovenMessageError, UnreadableContentError
from connectors.membership import Membership
from connectors.opening import Opener
from connectors.sealing import lock_apart, unlock_apart
from operations.directory.equipping import Equipment
from streams import wire
from streams.clock import ManualClock
from streams.secret_sources import Secret

Deliver = Callable[..., Delivery]
NOW_MS = 1_700_000_000_000
ORIGIN, HOST = "nl-offlimits", "be-childfocus"
NAME, WORD = "guest-4711", "open-sesame-0815"


def gated(equipment: Equipment, **fields: str) -> Submission:
    """Return the submission of a report about gated content."""
    draft = ReportDraft(
        url="https://images.example.com/canary",
        hosting_country="BE",
        received_at=NOW_MS,
        reference="r-1",
        content_type="media",
        **fields,
    )
    clock = ManualClock(NOW_MS, NOW_MS)
    prepared = membership(equipment, ORIGIN).prepare(
        draft, equipment.directory, clock, lambda ms: new_event_id(ms, bytes(10))
    )
    return wire.decode_as(Submission, prepared.value)


def enclosed(submission: Submission, delivery: Deliver, credentials: bytes | None = None) -> Delivery:
    """Return a delivery that hands a submission over."""
    statement = wire.statement_of(submission)
    return delivery(
        1,
        recipient=HOST,
        url_key=statement.url_key,
        report_event_id=statement.event_id,
        statement=submission.statement,
        signature=submission.signature,
        key_id=submission.key_id,
        content=submission.content,
        credentials=credentials,
    )


def opener(equipment: Equipment) -> Opener:
    """Return the opener of the hotline that is responsible."""
    place = membership(equipment, HOST)
    return Opener(place.keys, place.network_keys, lambda: equipment.directory)


def membership(equipment: Equipment, member: str) -> Membership:
    """Return a member's place, with its ring."""
    return Membership(
        member=member,
        environment="test",
        network_key=Secret(bytes(32)),
        kafka={},
        keys=equipment.rings[member],
    )


def rules(equipment: Equipment, submission: Submission) -> list[str]:
    """Return the rules that content and credentials of a submission break."""
    statement = wire.statement_of(submission)
    return [found.rule for found in check_protection(statement, submission, equipment.directory)]


def test_the_reader_of_a_content_opens_its_credentials(equipment: Equipment, delivery: Deliver) -> None:
    """The hotline that opens the content finds user name and password in it."""
    submission = gated(equipment, username=NAME, password=WORD)
    assert rules(equipment, submission) == []
    content = opener(equipment).open(enclosed(submission, delivery, credentials=submission.credentials))
    assert isinstance(content, ReportContent)
    assert (content.username, content.password, content.credentials_key) == (NAME, WORD, None)


def test_once_erased_they_are_gone_for_everybody(equipment: Equipment, delivery: Deliver) -> None:
    """The content without what travelled apart still opens, and nothing in it gives the credentials away."""
    submission = gated(equipment, username=NAME, password=WORD)
    content = opener(equipment).open(enclosed(submission, delivery))
    assert isinstance(content, ReportContent)
    assert content.url == "https://images.example.com/canary"
    assert (content.username, content.password) == (None, None)


def test_a_report_without_them_has_no_part_of_its_own(equipment: Equipment) -> None:
    """Nobody sees from outside more than whether there are credentials."""
    submission = gated(equipment)
    statement = wire.statement_of(submission)
    assert isinstance(statement, ReportStatement)
    assert (submission.credentials, statement.credentials_digest) == (None, None)


def test_intake_names_what_was_done_to_them_on_the_way(equipment: Equipment) -> None:
    """Taken off, swapped or added: each breaks a rule, because the signed statement speaks of them."""
    submission = gated(equipment, username=NAME)
    stripped = msgspec.structs.replace(submission, credentials=None)
    swapped = msgspec.structs.replace(submission, credentials=b"other")
    added = msgspec.structs.replace(gated(equipment), credentials=b"other")
    assert rules(equipment, stripped) == ["credentials_stripped"]
    assert rules(equipment, swapped) == ["digest_mismatch"]
    assert rules(equipment, added) == ["digest_mismatch"]


def test_swapped_credentials_are_not_believed(equipment: Equipment, delivery: Deliver) -> None:
    """A recipient checks the digest of the signed statement before it opens anything."""
    submission = gated(equipment, username=NAME)
    with pytest.raises(UnprovenMessageError) as caught:
        opener(equipment).open(enclosed(submission, delivery, credentials=b"other"))
    assert caught.value.violations[0].rule == "digest_mismatch"


@pytest.mark.parametrize("place", [0, 20, 60])
def test_an_altered_bit_is_noticed(place: int) -> None:
    """Vector, tag and ciphertext are authenticated, and so is what they belong to."""
    key, locked = lock_apart(b"clear text", b"bound")
    assert unlock_apart(locked, key, b"bound") == b"clear text"
    altered = bytearray(locked)
    altered[place] ^= 1
    for changed, bound in ((bytes(altered), b"bound"), (locked, b"else")):
        with pytest.raises(UnreadableContentError):
            unlock_apart(changed, key, bound)
    with pytest.raises(UnreadableContentError):
        unlock_apart(locked, key[:-1], b"bound")
