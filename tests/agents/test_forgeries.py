"""What intake does with submissions that somebody forged: by name for each kind, and for each bit of one."""

import hashlib
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sealed_samples import sealed_for, sealing_key_of

from agents.judgement import Admit, Bench, GiveUp, Refuse, judge
from casework.directory_keys import NetworkKeys, SealedNetworkKey
from casework.dsse import signed_statement
from casework.errors import BadInputError
from casework.messages import ActionStatement, ReportContent, ReportStatement, Submission
from casework.protection import binding_of
from casework.public_keys import PublicKey
from casework.sealed_content import parse, to_bytes
from operations.directory.document import build
from schemas.errors import UnreadableError
from streams import wire
from streams.key_rings import PrivateKey, Signer
from streams.topics import Topics

NOW = 1_760_000_000_000
DAY = 86_400_000
TOPICS = Topics()
KEY = b"\x01" + bytes(range(32))
KEYS = {
    name: PrivateKey.of("sign", name.encode().ljust(32, b"."))
    for name in ("gb-iwf", "de-eco", "late", "gone")
}


def entries(member: str) -> tuple[PublicKey, ...]:
    """Answer the keys of a member; gb-iwf has one that is not valid yet and one that was revoked as well."""
    own = KEYS.get(member)
    more = [] if own is None else [own.entry(0)]
    if member == "gb-iwf":
        more += [KEYS["late"].entry(NOW + DAY), replace(KEYS["gone"].entry(0), revoked_at=NOW - DAY)]
    return (sealing_key_of(member), *more)


BARE = build(environment="test", published_at=0, candidates="admit")
DIRECTORY = replace(
    BARE,
    members=tuple(replace(member, keys=entries(member.id)) for member in BARE.members),
    protection="required",
)
BENCH = Bench(DIRECTORY, "test", NOW, TOPICS)
STATEMENT = ReportStatement(
    event_id="0199c82a-0000-7000-8000-000000000001",
    environment="test",
    sender="gb-iwf",
    url_key=KEY,
    hosting_country="NL",
    sent_at=NOW,
    directory_version=1,
    occurred_at=NOW,
    received_at=NOW,
    reference="r-1",
    content_type="media",
    content_protection="jwe",
)
SEALED = sealed_for(["nl-offlimits", "gb-iwf"], binding_of(STATEMENT))


def signed(
    statement: ReportStatement | ActionStatement, key: PrivateKey, content: bytes | None
) -> Submission:
    """Answer a submission with this content, signed by a key."""
    framed = wire.encode(statement)
    kind = "report" if isinstance(statement, ReportStatement) else "action"
    signature = Signer(key).sign(signed_statement(kind, framed))
    return Submission(statement=framed, signature=signature, key_id=key.id, content=content)


SOUND = signed(replace(STATEMENT, content_digest=SEALED.digest), KEYS["gb-iwf"], to_bytes(SEALED))


def verdict_on(submission: Submission | bytes, **changes: Any) -> Any:  # noqa: ANN401 - one of three
    """Answer what intake does with a submission in a slot of NL."""
    value = submission if isinstance(submission, bytes) else wire.encode(submission)
    place = {"topic": TOPICS.reports_submitted, "partition": DIRECTORY.slot("NL", KEY), "offset": 7}
    record = SimpleNamespace(
        **{"key": KEY, "value": value, "timestamp": NOW, "headers": (), **place, **changes}
    )
    return judge(record, BENCH)


def rule_of(verdict: object) -> tuple[str, str]:
    """Answer what became of a submission, and by which rule."""
    match verdict:
        case GiveUp(failure):
            return f"given up, {failure.error_class}", failure.rule
        case Refuse(receipt):
            return "refused", str(receipt.rule)
    return "admitted", ""


def restated(key: str = "gb-iwf", content: bytes | None = to_bytes(SEALED), **changes: Any) -> Submission:  # noqa: ANN401
    """Answer the sound report with some fields of its statement changed, signed anew."""
    return signed(replace(STATEMENT, **{"content_digest": SEALED.digest, **changes}), KEYS[key], content)


def test_what_its_sender_signed_and_sealed_is_admitted() -> None:
    """The sound submission passes, byte for byte with its signature."""
    verdict = verdict_on(SOUND)
    assert isinstance(verdict, Admit)
    assert wire.decode_as(Submission, verdict.admitted.submission or b"") == SOUND


CLEAR = wire.encode(ReportContent(url="https://example.test/a"))
OTHER = sealed_for(["nl-offlimits"], b"another submission")
UNPROVEN = "given up, unattributable"
FORGERIES = {
    "another member's name": (restated("de-eco"), UNPROVEN, "foreign_key"),
    "another member's name and key id": (
        replace(restated("de-eco"), key_id=KEYS["gb-iwf"].id),
        UNPROVEN,
        "signature_mismatch",
    ),
    "a key nobody knows": (
        signed(STATEMENT, PrivateKey.of("sign", bytes(32)), None),
        UNPROVEN,
        "unknown_key",
    ),
    "a sealing key": (replace(SOUND, key_id=sealing_key_of("gb-iwf").id), UNPROVEN, "wrong_key_use"),
    "a revoked key": (restated("gone"), UNPROVEN, "key_revoked"),
    "a key that is not valid yet": (restated("late"), "refused", "key_not_yet_valid"),
    "no signature": (replace(SOUND, signature=None, key_id=None), UNPROVEN, "signature_missing"),
    "a stripped signature": (replace(SOUND, signature=None), UNPROVEN, "not_a_signature"),
    "a signature as of an action": (
        replace(SOUND, signature=Signer(KEYS["gb-iwf"]).sign(signed_statement("action", SOUND.statement))),
        UNPROVEN,
        "signature_mismatch",
    ),
    "another statement": (
        replace(SOUND, statement=wire.encode(replace(STATEMENT, hosting_country="DE"))),
        UNPROVEN,
        "signature_mismatch",
    ),
    "a sender the directory does not know": (restated(sender="xx-none"), UNPROVEN, "unknown_member"),
    "stripped content": (replace(SOUND, content=None), "refused", "content_stripped"),
    "swapped content": (replace(SOUND, content=to_bytes(OTHER)), "refused", "digest_mismatch"),
    "content of another submission": (
        restated(content=to_bytes(OTHER), content_digest=OTHER.digest),
        "refused",
        "foreign_content",
    ),
    "content in the clear": (
        restated(content=CLEAR, content_protection="none", content_digest=hashlib.sha256(CLEAR).digest()),
        "refused",
        "clear_content",
    ),
    "another environment": (restated(environment="demo"), "refused", "wrong_environment"),
    "a replay after eight days": (restated(sent_at=NOW - 8 * DAY), "refused", "replay_window"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_every_forgery_is_turned_away_by_its_name(name: str) -> None:
    """Who is not proven is answered by nobody; a proven sender is told the rule."""
    submission, outcome, rule = FORGERIES[name]
    found, by = rule_of(verdict_on(submission))
    assert found == outcome
    assert by == rule


def under_keys(url_key: bytes, later: bytes | None, current: int, *versions: int) -> tuple[str, str]:
    """Answer what becomes of a report with these url keys where the directory carries these network keys."""
    network = NetworkKeys(current, tuple(SealedNetworkKey(version, ("sealed",)) for version in versions))
    statement = replace(STATEMENT, url_key=url_key, url_key_next=later)
    sealed = sealed_for(["nl-offlimits", "gb-iwf"], binding_of(statement))
    statement = replace(statement, content_digest=sealed.digest)
    submission = signed(statement, KEYS["gb-iwf"], to_bytes(sealed))
    directory = replace(DIRECTORY, network_keys=network)
    place = {"topic": TOPICS.reports_submitted, "partition": directory.slot("NL", url_key), "offset": 7}
    record = SimpleNamespace(key=url_key, value=wire.encode(submission), timestamp=NOW, headers=(), **place)
    return rule_of(judge(record, replace(BENCH, directory=directory)))


def test_a_report_under_a_network_key_of_the_past_is_refused() -> None:
    """Its hotline could not compute the url key again: a sender could file an address under any."""
    first, second, third = (bytes([version]) + bytes(32) for version in (1, 2, 3))
    assert under_keys(first, None, 1, 1)[0] == "admitted"
    assert under_keys(first, second, 1, 1, 2)[0] == "admitted"
    assert under_keys(second, None, 1, 1, 2)[0] == "admitted"
    assert under_keys(first, second, 2, 2)[0] == "admitted"
    for url_key, later in ((first, None), (first, third), (third, None)):
        assert under_keys(url_key, later, 2, 2) == ("refused", "unknown_network_key")


def test_a_rewrap_is_not_bound_to_itself() -> None:
    """A re-wrap carries the content of another submission on purpose; every other action may not."""
    action = ActionStatement(
        **{
            name: getattr(STATEMENT, name) for name in ("environment", "sender", "url_key", "hosting_country")
        },
        event_id="0199c82a-0000-7000-8000-000000000002",
        sent_at=NOW,
        directory_version=1,
        action="rewrap",
        case_id="0199c82a-0000-8000-8000-000000000003",
        report_event_id=STATEMENT.event_id,
        occurred_at=NOW,
        content_protection="jwe",
        content_digest=SEALED.digest,
    )
    place = {"topic": TOPICS.actions_submitted, "partition": 0}
    content = to_bytes(SEALED)
    assert isinstance(verdict_on(signed(action, KEYS["gb-iwf"], content), **place), Admit)
    other = replace(action, action="acknowledged")
    assert rule_of(verdict_on(signed(other, KEYS["gb-iwf"], content), **place))[1] == "foreign_content"


VALUE = wire.encode(SOUND)


@given(st.integers(0, len(VALUE) * 8 - 1))
def test_no_bit_of_a_submission_may_change(bit: int) -> None:
    """One bit altered anywhere is turned away, except among the recipients, who may be appended to."""
    altered = bytearray(VALUE)
    altered[bit // 8] ^= 1 << bit % 8
    if not isinstance(verdict_on(bytes(altered)), Admit):
        return
    found = wire.decode_as(Submission, bytes(altered))
    assert (found.statement, found.signature) == (SOUND.statement, SOUND.signature)
    sealed = parse(found.content or b"")
    assert sealed.recipients != SEALED.recipients
    assert replace(sealed, recipients=SEALED.recipients) == SEALED


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: VALUE[:80] + tail))
def test_whatever_comes_is_judged(value: bytes) -> None:
    """No bytes make intake fail; they are admitted, refused or given up."""
    assert rule_of(verdict_on(value))[0] != "admitted"


def test_altered_recipients_reach_nobody_as_something_else() -> None:
    """The recipients are not signed, so the rules on their form hold for them alone."""
    spoiled = to_bytes(SEALED).replace(b"ECDH-ES+A256KW", b"ECDH-ES+A128KW")
    assert rule_of(verdict_on(replace(SOUND, content=spoiled))) == ("refused", "wrong_algorithm")
    with pytest.raises((BadInputError, UnreadableError, msgspec.DecodeError)):
        parse(spoiled)
