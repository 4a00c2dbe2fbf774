import datetime as dt

import msgspec
import pytest

from casework import directory_checks
from casework.countries import COUNTRY_ALIASES
from casework.directory import (
    DEFAULT_DEADLINES,
    HOUR_MS,
    CaseworkLimits,
    CountryRule,
    Deadlines,
    Directory,
    HotlineShare,
    Member,
    PseudoCountry,
    from_bytes,
    to_bytes,
)
from casework.directory_keys import Signers
from casework.errors import DirectoryRefusedError, UnknownCountryError, UnknownMemberError

DAY = dt.date(2026, 1, 1)
LATER = 1 + directory_checks.LEAD_MS
replace = msgspec.structs.replace


def small_directory() -> Directory:
    """Answer a correct directory of two countries."""

    def member(member_id: str, **fields: object) -> Member:
        given = {"name": member_id, "status": "active", "since": DAY, "evidence": ("P",), **fields}
        return Member(id=member_id, **given)  # type: ignore[arg-type]

    return Directory(
        version=1,
        environment="test",
        published_at=1,
        valid_from=1,
        members=(
            member("de-one", kind="hotline", countries=("DE",)),
            member("de-two", kind="hotline", countries=("DE",)),
            member("europol", kind="law_enforcement", liaison="europol"),
            member("interpol", kind="law_enforcement", liaison="interpol"),
            member("nl-one", kind="hotline", countries=("NL",), mandates=("orphans",)),
            member("nl-police", kind="law_enforcement", countries=("NL",), liaison="nl"),
        ),
        countries=(
            CountryRule("DE", "Germany", "weights", (HotlineShare("de-one", 3), HotlineShare("de-two", 1))),
            CountryRule(
                "NL", "Netherlands", hotlines=(HotlineShare("nl-one"),), deadlines=Deadlines(HOUR_MS)
            ),
        ),
        pseudo_countries=(
            PseudoCountry("XT", "Tor", "tor", ("interpol", "europol")),
            PseudoCountry("ZZ", "unknown", "unknown_host", ("interpol",), "desk-orphans"),
        ),
        slot_count=4,
        slots={"NL": (0, 1)},
        rest_slots=(2, 3),
        aliases=dict(COUNTRY_ALIASES),
    )


def test_a_correct_directory_breaks_no_rule() -> None:
    """The directory that the other tests spoil is correct before they do."""
    assert directory_checks.check(small_directory()) == ()
    assert directory_checks.require(small_directory()) == small_directory()


def test_a_country_may_have_a_second_unit_with_a_topic_of_its_own() -> None:
    """Its code is the country's with a word after it: escalations can be repeated within the country."""
    directory = small_directory()
    second = replace(directory.members[5], id="nl-duty", liaison="nl-duty", feed="all_hosted")
    rule = replace(directory.countries[1], second_liaison="nl-duty")
    changed = replace(
        directory,
        members=(*directory.members[:5], second, directory.members[5]),
        countries=(directory.countries[0], rule),
    )
    assert directory_checks.check(changed) == ()
    assert changed.police() == ("europol", "interpol", "nl-duty", "nl-police")
    assert [member.id for member in changed.subscribers] == ["nl-duty"]


def test_equal_directories_have_equal_bytes() -> None:
    """The document does not depend on the order in which a mapping was written."""
    directory = small_directory()
    turned = replace(directory, aliases=dict(reversed(directory.aliases.items())))
    assert to_bytes(turned) == to_bytes(directory)
    assert from_bytes(to_bytes(directory)) == directory


@pytest.mark.parametrize("document", [b"", b"{}", b"\xff", b'{"version": "1"}'])
def test_an_unreadable_document_is_refused(document: bytes) -> None:
    """Bytes that are no directory raise the documented error."""
    with pytest.raises(DirectoryRefusedError):
        from_bytes(document)


def test_a_document_of_another_layout_is_refused() -> None:
    """A program does not guess at layouts that came after it."""
    with pytest.raises(DirectoryRefusedError, match="unknown_format"):
        from_bytes(to_bytes(replace(small_directory(), format=2)))


def test_look_ups_know_aliases_and_answer_for_every_country() -> None:
    """A country without an entry has a rule without hotlines, not an error."""
    directory = small_directory()
    assert directory.country("UK").code == "GB"
    assert directory.country("GB").hotlines == ()
    assert directory.police_contact("EL") == "the police of Greece"
    with pytest.raises(UnknownCountryError):
        directory.country("XX")
    with pytest.raises(UnknownMemberError):
        directory.member("xx-nobody")


def test_deadlines_fall_back_field_by_field_and_stop_at_hosts_without_a_country() -> None:
    """An override changes what it names; where no country could act no clock runs."""
    directory = small_directory()
    assert directory.deadlines_of("NL") == replace(DEFAULT_DEADLINES, acknowledge_ms=HOUR_MS)
    assert directory.deadlines_of("GB") == DEFAULT_DEADLINES
    assert directory.deadlines_of("T1") is None


def test_a_slot_is_one_of_the_country_s_own_or_of_the_rest() -> None:
    """The slot is the position of the url key among the country's slots, whatever the version byte."""
    directory = small_directory()
    key = b"\x01" + (5).to_bytes(8, "big") + bytes(24)
    assert directory.slot("NL", key) == 1
    assert directory.slot("DE", key) == 3
    assert directory.slot("UK", key) == directory.slot("GB", key)


def _spoiled(field: str, value: object) -> Directory:
    return replace(small_directory(), **{field: value})


def _member(index: int, **fields: object) -> Directory:
    members = list(small_directory().members)
    members[index] = replace(members[index], **fields)
    return _spoiled("members", tuple(members))


def _country(index: int, **fields: object) -> Directory:
    countries = list(small_directory().countries)
    countries[index] = replace(countries[index], **fields)
    return _spoiled("countries", tuple(countries))


SPOILED = {
    "version zero": (_spoiled("version", 0), "version", "out_of_range"),
    "valid before published": (_spoiled("valid_from", 0), "valid_from", "out_of_range"),
    "deadline missing": (_spoiled("deadlines", Deadlines()), "deadlines.acknowledge", "missing"),
    "alias missing": (_spoiled("aliases", {}), "aliases", "missing"),
    "alias of a country": (_spoiled("aliases", {**COUNTRY_ALIASES, "DE": "NL"}), "aliases.DE", "ambiguous"),
    "alias to nowhere": (
        _spoiled("aliases", {**COUNTRY_ALIASES, "QQ": "QX"}),
        "aliases.QQ",
        "unknown_country",
    ),
    "Tor missing": (_spoiled("pseudo_countries", ()), "pseudo_countries", "missing"),
    "slot twice": (_spoiled("rest_slots", (1, 2, 3)), "slots", "duplicate"),
    "slot unused": (_spoiled("rest_slots", (2,)), "slots", "unused"),
    "slot beyond": (_spoiled("rest_slots", (2, 3, 4)), "slots", "out_of_range"),
    "no rest": (_spoiled("rest_slots", ()), "slots.rest", "missing"),
    "slots of nowhere": (_spoiled("slots", {"QX": (0, 1)}), "slots.countries.QX", "unknown_country"),
    "member id": (_member(2, id="Europol"), "members.Europol", "malformed"),
    "member twice": (_member(1, id="de-one"), "members.de-one", "duplicate"),
    "reserved id": (_member(4, id="desk-nl"), "members.desk-nl", "reserved"),
    "id of a process": (_member(4, id="hx-intake"), "members.hx-intake", "reserved"),
    "id of a broker": (_member(4, id="broker-1"), "members.broker-1", "reserved"),
    "no name": (_member(0, name=" "), "members.de-one.name", "missing"),
    "no country": (_member(0, countries=()), "members.de-one.countries", "missing"),
    "alias as country": (_member(0, countries=("DE", "UK")), "members.de-one.countries", "unknown_country"),
    "hotline not routed to": (_member(0, countries=("DE", "FR")), "members.de-one.countries", "not_routed"),
    "transfer from nowhere": (
        _member(0, may_receive_from=("NL", "QX")),
        "members.de-one.may_receive_from",
        "unknown_country",
    ),
    "transfer from a host of no country": (
        _member(0, may_receive_from=("ZZ",)),
        "members.de-one.may_receive_from",
        "unknown_country",
    ),
    "domain with path": (_member(0, domain="one.example/x"), "members.de-one.domain", "malformed"),
    "unknown mandate": (_member(0, mandates=("all",)), "members.de-one.mandates", "unknown_code"),
    "nobody for orphans": (_member(4, mandates=()), "members", "no_orphan_mandate"),
    "status without day": (_member(0, since=None), "members.de-one.since", "missing"),
    "suspended without reason": (_member(0, status="suspended"), "members.de-one.reason", "missing"),
    "no evidence": (_member(0, evidence=()), "members.de-one.evidence", "missing"),
    "unknown evidence": (_member(0, evidence=("Q",)), "members.de-one.evidence", "unknown_code"),
    "police without liaison": (_member(5, liaison=None), "members.nl-police.liaison", "missing"),
    "liaison of another country": (_member(5, liaison="de"), "members.nl-police.liaison", "wrong_country"),
    "second unit of another country": (
        _member(5, liaison="de-duty"),
        "members.nl-police.liaison",
        "wrong_country",
    ),
    "hotline with a feed": (_member(0, feed="all_hosted"), "members.de-one.feed", "not_allowed"),
    "hotline that reads no escalations": (
        _member(0, reads_escalations=False),
        "members.de-one.reads_escalations",
        "not_allowed",
    ),
    "acknowledgements of no feed": (
        _member(5, feed_informs_police=True),
        "members.nl-police.feed_informs_police",
        "not_used",
    ),
    "hosted in no country": (_member(3, feed="all_hosted"), "members.interpol.feed", "not_used"),
    "police with a deadline": (
        _member(5, deadlines=Deadlines(HOUR_MS)),
        "members.nl-police.deadlines.acknowledge",
        "not_allowed",
    ),
    "no time for a hotline": (
        _member(0, deadlines=Deadlines(0)),
        "members.de-one.deadlines.acknowledge",
        "out_of_range",
    ),
    "hotline with liaison": (_member(0, liaison="de"), "members.de-one.liaison", "not_allowed"),
    "no INTERPOL": (_member(3, liaison="nl", countries=("NL",)), "members", "missing"),
    "country twice": (_country(1, code="DE"), "countries.DE", "duplicate"),
    "country of nowhere": (_country(1, code="QX"), "countries.QX", "unknown_country"),
    "single of two": (_country(0, routing="single"), "countries.DE.routing", "ambiguous"),
    "claim of one": (_country(1, routing="claim"), "countries.NL.routing", "too_few"),
    "wait of nobody": (_country(0, police_wait_ms=HOUR_MS), "countries.DE.police_wait", "not_used"),
    "wait beyond the deadline": (
        _country(0, notice_rule="police_first", police_wait_ms=72 * HOUR_MS),
        "countries.DE.police_wait",
        "out_of_range",
    ),
    "wait backwards": (
        _country(0, notice_rule="police_first", police_wait_ms=-1),
        "countries.DE.police_wait",
        "out_of_range",
    ),
    "no hold at all": (_country(0, hold_limit_ms=0), "countries.DE.hold_limit", "out_of_range"),
    "consent of nobody": (
        _country(0, notice_rule="police_consent"),
        "countries.DE.notice_rule",
        "no_liaison",
    ),
    "second contact unknown": (
        _country(0, second_liaison="xy"),
        "countries.DE.second_liaison",
        "unknown_liaison",
    ),
    "second contact is the first": (
        _country(1, second_liaison="nl"),
        "countries.NL.second_liaison",
        "duplicate",
    ),
    "third without second": (
        _country(0, further_liaisons=("europol",)),
        "countries.DE.further_liaisons",
        "not_used",
    ),
    "third is the second": (
        _country(0, second_liaison="europol", further_liaisons=("europol",)),
        "countries.DE.further_liaisons",
        "duplicate",
    ),
    "remit without the rule": (
        _country(0, hotlines=(HotlineShare("de-one", remit=("csam_textual",)), HotlineShare("de-two"))),
        "countries.DE.hotlines.de-one.remit",
        "not_used",
    ),
    **{
        f"remit of unknown {field}": (
            _country(
                0,
                routing="remit",
                hotlines=(HotlineShare("de-one", **{field: ("all",)}), HotlineShare("de-two")),
            ),
            f"countries.DE.hotlines.de-one.{field}",
            "unknown_code",
        )
        for field in ("remit", "site_types", "classifications", "content_types")
    },
    **{
        f"limit {field}": (
            _spoiled("casework", replace(CaseworkLimits(), **{field: value})),
            f"casework.{field.removesuffix('_ms')}",
            "out_of_range",
        )
        for field, value in {"lease_ms": 0, "max_moves": 0, "digest_hour": 24}.items()
    },
    "hotline unknown": (
        _country(0, hotlines=(HotlineShare("de-nobody"),)),
        "countries.DE.hotlines.de-nobody",
        "unknown_member",
    ),
    "hotline of elsewhere": (
        _country(0, hotlines=(HotlineShare("nl-one"),)),
        "countries.DE.hotlines.nl-one",
        "wrong_country",
    ),
    "weight zero": (
        _country(0, hotlines=(HotlineShare("de-one", 0),)),
        "countries.DE.hotlines.de-one.weight",
        "out_of_range",
    ),
    "assumed member in production": (
        replace(_member(0, assumed=("domain",)), environment="production"),
        "members.de-one.assumed",
        "assumed",
    ),
    "assumed country in production": (
        replace(_country(0, assumed=("weights",)), environment="production"),
        "countries.DE.assumed",
        "assumed",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_each_rule_of_the_directory_is_enforced(name: str) -> None:
    """One spoiled fact is answered with its field and rule."""
    directory, field, rule = SPOILED[name]
    assert (field, rule) in {
        (violation.field, violation.rule) for violation in directory_checks.check(directory)
    }
    with pytest.raises(DirectoryRefusedError):
        directory_checks.require(directory)


def test_assumptions_are_welcome_outside_production() -> None:
    """Demo and test run on the shipped assumptions."""
    assert directory_checks.check(_member(0, assumed=("domain",))) == ()


def test_the_next_version_may_grow() -> None:
    """More slots and a member that left make a valid successor."""
    old = small_directory()
    new = replace(
        _member(0, status="left", reason="merged"),
        version=2,
        slot_count=6,
        slots={"NL": (0, 1, 4), "DE": (5,)},
        valid_from=LATER,
    )
    assert directory_checks.check_successor(old, new) == ()


SUCCESSORS = {
    "same version": ({"version": 1}, "version", "not_newer"),
    "other environment": ({"environment": "demo"}, "environment", "changed"),
    "valid too early": ({"valid_from": LATER - 1}, "valid_from", "too_early"),
    "valid earlier": ({"valid_from": 0, "published_at": -LATER}, "valid_from", "not_newer"),
    "signed no more": ({}, "signers", "missing"),
    "fewer slots": ({"slot_count": 3}, "slots.count", "shrunk"),
    "country loses a slot": ({"slots": {"NL": (0,)}}, "slots.countries.NL", "shrunk"),
    "rest loses a slot": ({"rest_slots": (2,)}, "slots.rest", "shrunk"),
    "member vanishes": ({"members": small_directory().members[1:]}, "members.de-one", "vanished"),
}


@pytest.mark.parametrize("name", SUCCESSORS)
def test_versions_increase_and_slots_only_grow(name: str) -> None:
    """A version that takes something back is refused, by field and rule."""
    fields, field, rule = SUCCESSORS[name]
    old = replace(small_directory(), signers=Signers(1, {})) if field == "signers" else small_directory()
    new = replace(small_directory(), **{"version": 2, "valid_from": LATER, **fields})
    found = {(v.field, v.rule) for v in directory_checks.check_successor(old, new)}
    assert found == {(field, rule)}


def test_a_member_that_left_does_not_come_back_under_its_id() -> None:
    """An id never means a second membership, and never another kind of member."""
    left = _member(0, status="left", reason="merged")
    back = replace(small_directory(), version=2, valid_from=LATER)
    assert [v.rule for v in directory_checks.check_successor(left, back)] == ["reused"]
    changed = replace(_member(5, liaison="interpol"), version=2, valid_from=LATER)
    assert [v.rule for v in directory_checks.check_successor(small_directory(), changed)] == ["changed"]
