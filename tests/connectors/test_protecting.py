import msgspec
import pytest

from casework.content_readers import next_readers_of
from casework.directory import CountryRule, Directory, HotlineShare, Member
from casework.dsse import signed_statement
from casework.ids import new_event_id
from casework.messages import ActionContent, ActionStatement, ReportContent, ReportStatement, Submission
from casework.network_keys import holders
from casework.protection import check_protection
from casework.sealed_content import binding, parse
from casework.signatures import check_signature
from casework.submissions import Admission
from casework.url_keys import url_key
from casework.urls import canonical_url
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import DraftRefusedError, SealError
from connectors.membership import Membership
from connectors.preparing import Prepared
from connectors.sealing import open_sealed
from operations.directory.equipping import Equipment
from operations.directory.network_keys import seal_network_key
from streams import wire
from streams.clock import ManualClock
from streams.key_rings import KeyRing, PrivateKey
from streams.secret_sources import Secret

ME = "nl-offlimits"
NOW_MS = 1_700_000_000_000
CLOCK = ManualClock(NOW_MS, NOW_MS)
URL = "https://images.example.com/canary"


def prepared(
    equipment: Equipment,
    draft: ReportDraft | ActionDraft,
    directory: Directory | None = None,
    **changes: object,
) -> Prepared:
    """Return what a member sends for a draft."""
    fields: dict[str, object] = {
        "member": ME, "environment": "test", "network_key": Secret(b"of the settings, not to be used!"),
        "kafka": {}, "keys": equipment.rings[ME],
    }  # fmt: skip
    membership = Membership(**(fields | changes))  # type: ignore[arg-type]  # fields by name
    current = equipment.directory if directory is None else directory
    return membership.prepare(draft, current, CLOCK, lambda ms: new_event_id(ms, bytes(10)))


def report(**changes: object) -> ReportDraft:
    """Return a draft of a report hosted in Belgium."""
    fields: dict[str, object] = {
        "url": URL, "hosting_country": "BE", "received_at": NOW_MS - 60_000, "reference": "r-1",
        "content_type": "media", "note": "seen in the canary",
    }  # fmt: skip
    return ReportDraft(**(fields | changes))  # type: ignore[arg-type]  # fields by name


def action(**changes: object) -> ActionDraft:
    """Return a draft of an action."""
    fields: dict[str, object] = {
        "action": "acknowledged", "hosting_country": "BE", "url_key": b"\x01" + bytes(32),
        "case_id": "018bcfe5-687b-8000-8000-000000000000",
    }  # fmt: skip
    return ActionDraft(**(fields | changes))  # type: ignore[arg-type]  # fields by name


def readers(equipment: Equipment, made: Prepared) -> set[str]:
    """Return the members whose keys a submission is sealed to."""
    content = wire.decode_as(Submission, made.value).content
    assert content is not None
    return {equipment.directory.keys_by_id[key_id][0] for key_id in parse(content).key_ids}


def test_a_report_leaves_signed_and_sealed(equipment: Equipment) -> None:
    """The signature proves the sender; the content opens for its readers and is bound to the statement."""
    made = prepared(equipment, report())
    submission = wire.decode_as(Submission, made.value)
    statement = wire.decode_as(ReportStatement, submission.statement)
    assert check_signature(
        equipment.directory, ME, message=signed_statement("report", submission.statement),
        signature=submission.signature, key_id=submission.key_id, signed_at=NOW_MS,
    ) is None  # fmt: skip
    assert not list(check_protection(statement, submission, equipment.directory))
    assert statement.content_protection == "jwe"
    assert b"canary" not in made.value
    sealed = parse(submission.content or b"")
    bound = binding("test", ME, statement.event_id, statement.url_key)
    for member in ("be-childfocus", ME):
        content = wire.decode_as(ReportContent, open_sealed(sealed, equipment.rings[member], bound))
        assert (content.url, content.note) == (URL, "seen in the canary")
    assert readers(equipment, made) == {ME, "be-childfocus"}


def test_the_url_key_is_made_with_the_key_out_of_the_directory(equipment: Equipment) -> None:
    """Not with that of the settings; while a change of keys runs, both keys are carried."""
    made = prepared(equipment, report())
    canonical = canonical_url(URL)
    assert made.url_key == url_key(canonical, equipment.network_key.reveal())
    later = Secret(b"n" * 32)
    keys = equipment.directory.network_keys
    assert keys is not None
    sealed = (*keys.sealed, seal_network_key(later, "test", 2, holders(equipment.directory, 0)))
    changing = msgspec.structs.replace(
        equipment.directory, network_keys=msgspec.structs.replace(keys, sealed=sealed)
    )
    statement = prepared(equipment, report(), changing).statement
    assert statement.url_key == made.url_key
    assert statement.url_key_next == url_key(canonical, later.reveal(), 2)


def test_further_readers_can_be_named(equipment: Equipment) -> None:
    """A draft adds a member that has a key; one that is unknown or has none is refused by its place."""
    made = prepared(equipment, report(readers=("nl-police",)))
    assert readers(equipment, made) == {ME, "be-childfocus", "nl-police"}
    for reader in ("gone", "nobody"):
        with pytest.raises(DraftRefusedError) as refused:
            prepared(equipment, report(readers=("nl-police", reader)))
        assert [(v.field, v.rule) for v in refused.value.violations] == [("readers[1]", "no_sealing_key")]


def test_what_an_action_says_can_be_read_by_the_parties_of_its_case(equipment: Equipment) -> None:
    """Parties that a draft knows can open its content; one without a key stops nothing."""
    made = prepared(equipment, action(note="seen", parties=(ME, "nl-police", "nobody")))
    assert readers(equipment, made) == {ME, "be-childfocus", "nl-police"}


def test_a_police_reference_makes_an_action_confidential(equipment: Equipment) -> None:
    """The exchange is told that the content carries one, so that it is handed to those concerned only."""
    made = prepared(equipment, action(police_reference="P-1"))
    assert isinstance(made.statement, ActionStatement)
    assert made.statement.has_police_reference


def test_a_further_reader_that_may_not_receive_is_refused(equipment: Equipment) -> None:
    """The rule about transfers holds for readers that a draft names too; field and rule are told."""
    members = tuple(
        msgspec.structs.replace(member, may_receive_from=("BE",)) if member.id == "nl-police" else member
        for member in equipment.directory.members
    )
    directory = msgspec.structs.replace(equipment.directory, members=members)
    with pytest.raises(DraftRefusedError) as refused:
        prepared(equipment, report(readers=("nl-police",)), directory)
    assert [(each.field, each.rule) for each in refused.value.violations] == [
        ("readers[0]", "may_not_receive")
    ]
    assert "nl-police" in readers(equipment, prepared(equipment, report(readers=("nl-police",))))


def without_keys(equipment: Equipment, *members: str) -> Directory:
    """Return the directory in which some members have no keys."""
    return msgspec.structs.replace(
        equipment.directory,
        members=tuple(
            msgspec.structs.replace(member, keys=()) if member.id in members else member
            for member in equipment.directory.members
        ),
    )


def test_a_reader_without_a_key_stops_a_report_only_if_nobody_else_could_read_it(
    equipment: Equipment,
) -> None:
    """A liaison without a key is left out; a hosting country where nobody has one is refused by name."""
    own = prepared(equipment, report(hosting_country="NL"), without_keys(equipment, "nl-police"))
    assert readers(equipment, own) == {ME}
    with pytest.raises(DraftRefusedError, match="be-childfocus") as refused:
        prepared(equipment, report(), without_keys(equipment, "be-childfocus"))
    assert [v.rule for v in refused.value.violations] == ["no_reader"]


@pytest.mark.parametrize("draft", [report(), action(), action(note="n")], ids=["report", "action", "note"])
def test_nothing_leaves_without_a_key_that_counts(
    equipment: Equipment, draft: ReportDraft | ActionDraft
) -> None:
    """No ring where one is required, a foreign ring, or keys that the directory no longer lists: not sent."""
    with pytest.raises(SealError, match="HX_KEYS"):
        prepared(equipment, draft, keys=None)
    with pytest.raises(SealError):
        prepared(equipment, draft, keys=KeyRing([PrivateKey.new("sign"), PrivateKey.new("seal")]))
    unlisted = msgspec.structs.replace(without_keys(equipment, ME), network_keys=None)
    with pytest.raises(SealError, match=ME):
        prepared(equipment, draft, unlisted)


def test_the_ring_signs_with_its_newest_key_that_counts_and_seals_to_one_it_has(equipment: Equipment) -> None:
    """After a rotation on another machine this ring goes on with the keys that it has, while they count."""
    ring = equipment.rings[ME]
    newer = [PrivateKey.new("sign").entry(1), PrivateKey.new("seal").entry(1)]
    rotated = msgspec.structs.replace(
        equipment.directory,
        members=tuple(
            msgspec.structs.replace(member, keys=(*member.keys, *newer)) if member.id == ME else member
            for member in equipment.directory.members
        ),
    )
    made = prepared(equipment, report(), rotated)
    submission = wire.decode_as(Submission, made.value)
    sign, seal = (next(key.id for key in ring.keys if key.use == use) for use in ("sign", "seal"))
    assert submission.key_id == sign
    assert seal in parse(submission.content or b"").key_ids


def test_the_rules_see_the_content_before_it_is_sealed(equipment: Equipment) -> None:
    """A bad address, note or country is refused by field, although intake could not see the first two."""
    for draft, field in (
        (report(url="https:// /"), "content.url"),
        (report(note="write to someone@example.org"), "content.note"),
        (report(hosting_country="QQ"), "hosting_country"),
        (action(note="write to someone@example.org"), "content.note"),
    ):
        with pytest.raises(DraftRefusedError) as refused:
            prepared(equipment, draft)
        assert [violation.field for violation in refused.value.violations] == [field]


def test_a_move_can_be_read_where_the_content_went(equipment: Equipment) -> None:
    """The new address of a moved item is sealed for the new country's hotline too; no texts, no content."""
    made = prepared(
        equipment,
        action(
            action="moved",
            hosting_country="NL",
            new_hosting_country="BE",
            new_url="https://new.example/1",
            hosting_method="whois",
            observed_at=NOW_MS,
        ),
    )
    assert readers(equipment, made) == {ME, "be-childfocus", "nl-police"}
    plain = prepared(equipment, action())
    assert wire.decode_as(Submission, plain.value).content is None
    assert plain.statement.content_protection == "jwe"
    content = wire.decode_as(Submission, made.value).content
    opened = open_sealed(parse(content or b""), equipment.rings["be-childfocus"])
    assert wire.decode_as(ActionContent, opened).new_url == "https://new.example/1"


def test_a_word_on_a_move_is_for_those_who_may_have_the_case_there(directory: Directory) -> None:
    """All hotlines of the new country and its police can read it, no subscriber and no further contact."""
    others = (
        Member("fr-phare", "hotline", "France", ("FR",), status="active"),
        Member("fr-point", "hotline", "France", ("FR",), status="active"),
        Member("fr-closed", "hotline", "France", ("FR",), status="active", may_receive_from=("FR",)),
        Member("fr-police", "law_enforcement", "Police", ("FR",), status="active", liaison="fr"),
        Member("interpol", "law_enforcement", "I", status="active", liaison="interpol", feed="all_confirmed"),
    )
    shares = tuple(HotlineShare(one) for one in ("fr-phare", "fr-point", "fr-closed"))
    rule = CountryRule(
        "FR", "France", hotlines=shares, second_liaison="interpol", further_liaisons=("interpol",)
    )
    wider = msgspec.structs.replace(
        directory, members=(*directory.members, *others), countries=(*directory.countries, rule)
    )
    found = next_readers_of(wider, "FR", "nl-offlimits")
    assert found == ("fr-phare", "fr-point", "fr-police")
    assert next_readers_of(wider, "XT", "be-childfocus") == ("nl-offlimits",), "who may claim it at the desk"


def test_a_ring_protects_even_where_the_directory_leaves_it_open(
    equipment: Equipment, directory: Directory
) -> None:
    """With keys nothing goes out in the clear; without keys and duty everything is as it was."""
    optional = msgspec.structs.replace(equipment.directory, protection="optional")
    assert prepared(equipment, report(), optional).statement.content_protection == "jwe"
    clear = prepared(equipment, report(), directory, keys=None)
    assert clear.statement.content_protection == "none"
    assert wire.decode_as(Submission, clear.value).signature is None


def test_the_network_key_is_opened_once_for_a_directory(
    equipment: Equipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand reports do not open the network key a thousand times; a new directory opens it anew."""
    opened: list[object] = []

    def counting(*args: object) -> bytes:
        opened.append(args)
        return open_sealed(*args)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr("connectors.network_secrets.open_sealed", counting)
    membership = Membership(
        member=ME, environment="test", network_key=Secret(bytes(32)), kafka={}, keys=equipment.rings[ME]
    )
    again = msgspec.structs.replace(equipment.directory, version=4)
    for directory in (equipment.directory, equipment.directory, again, again):
        membership.prepare(report(), directory, CLOCK, lambda ms: new_event_id(ms, bytes(10)))
    assert len(opened) == 2


def test_errors_and_representations_hold_no_key(equipment: Equipment) -> None:
    """A membership in a log or a traceback shows neither ring nor network key."""
    membership = Membership(
        member=ME, environment="test", network_key=Secret(bytes(32)), kafka={}, keys=equipment.rings[ME]
    )
    shown = repr(membership) + repr(membership.sender(equipment.directory, str))
    for key in equipment.rings[ME].keys:
        assert key.secret.reveal().hex() not in shown
        assert repr(key.secret.reveal()) not in shown
    assert equipment.network_key.reveal().hex() not in shown


def test_admission_is_that_of_now(equipment: Equipment) -> None:
    """A membership judges a draft as intake would at this moment."""
    membership = Membership(member=ME, environment="test", network_key=Secret(bytes(32)), kafka={})
    admission = membership.admission(equipment.directory, CLOCK)
    assert admission == Admission(equipment.directory, "test", NOW_MS, NOW_MS, 0)
