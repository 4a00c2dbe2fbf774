"""Who may receive whose reports: the directory's rule about transfers, `Member.may_receive_from`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealed_samples import sealing_key_of

from casework.content_readers import mandated, readers_of
from casework.countries import ALL_COUNTRIES
from casework.directory import Directory, from_bytes, to_bytes
from casework.evolution import fold
from casework.routing import route
from operations.directory.document import build

if TYPE_CHECKING:
    from conftest import Story

replace = msgspec.structs.replace
DIRECTORY = build(environment="test", published_at=0, candidates="admit")
KEY = b"\x01" + bytes(32)
HOTLINES = tuple(member.id for member in DIRECTORY.active_members("hotline"))
MEMBERS = tuple(member.id for member in DIRECTORY.members if member.active)
REAL = tuple(sorted({code for member in DIRECTORY.members for code in member.countries}))

origins = st.sampled_from(HOTLINES)
countries = st.sampled_from(sorted(ALL_COUNTRIES))
lists = st.none() | st.lists(st.sampled_from(REAL), max_size=8, unique=True).map(tuple)
rules = st.dictionaries(st.sampled_from(MEMBERS), lists, max_size=12)
keys = st.binary(min_size=32, max_size=32).map(lambda tail: b"\x01" + tail)


def with_rules(given: dict[str, tuple[str, ...] | None]) -> Directory:
    """Answer the network with rules about transfers for some members."""
    members = (replace(m, may_receive_from=given.get(m.id)) for m in DIRECTORY.members)
    return replace(DIRECTORY, members=tuple(members))


def may(directory: Directory, member_id: str, origin: str) -> bool:
    """Answer the rule by its own words: no list, its own report, or every country of the origin listed."""
    allowed = directory.member(member_id).may_receive_from
    whence = directory.member(origin).countries
    return allowed is None or member_id == origin or all(code in allowed for code in whence)


@given(rules, countries, origins)
def test_content_is_sealed_for_nobody_who_may_not_receive_it(
    given_rules: dict[str, tuple[str, ...] | None], country: str, origin: str
) -> None:
    """Readers are those of a network without rules who may receive, or step in; the origin always is one."""
    directory = with_rules(given_rules)
    found = readers_of(directory, country, origin)
    assert origin in found
    assert all(may(directory, reader, origin) for reader in found)
    for reader in readers_of(DIRECTORY, country, origin):
        assert reader in found or not may(directory, reader, origin)


@given(rules, countries, origins, keys)
def test_a_report_goes_to_nobody_who_may_not_receive_it(
    given_rules: dict[str, tuple[str, ...] | None], country: str, origin: str, key: bytes
) -> None:
    """Neither hotline nor liaison of a route is barred, all of them are readers, and somebody is found."""
    directory = with_rules(given_rules)
    way = route(directory, country, key, origin=origin)
    liaisons = [member.id for code in way.liaisons if (member := directory.liaison(code)) is not None]
    assert all(may(directory, member, origin) for member in liaisons)
    assert way.assigned_hotline or way.desk or way.liaisons
    readers = readers_of(directory, country, origin)
    assert set(liaisons) <= set(readers)
    if way.assigned_hotline is not None:
        assert may(directory, way.assigned_hotline, origin)
        assert way.assigned_hotline in readers
    if way.desk is not None:
        assert {member.id for member in mandated(directory, origin)} <= set(readers)


@given(rules, countries, origins, origins, keys)
def test_one_origin_s_route_is_not_another_s(
    given_rules: dict[str, tuple[str, ...] | None], country: str, first: str, then: str, key: bytes
) -> None:
    """What was found out for one origin is not taken for the next: a fresh directory answers the same."""
    directory = with_rules(given_rules)
    route(directory, country, key, origin=first)
    assert route(directory, country, key, origin=then) == route(
        with_rules(given_rules), country, key, origin=then
    )


@given(countries, origins, keys)
def test_without_rules_nothing_changes(country: str, origin: str, key: bytes) -> None:
    """A rule that allows every country routes and seals as no rule does."""
    everywhere = with_rules({member.id: REAL for member in DIRECTORY.members})
    assert everywhere.has_transfer_rules
    assert not DIRECTORY.has_transfer_rules
    assert route(everywhere, country, key, origin=origin) == route(DIRECTORY, country, key, origin=origin)
    assert readers_of(everywhere, country, origin) == readers_of(DIRECTORY, country, origin)


def test_the_next_hotline_or_the_desk_steps_in() -> None:
    """Of three German hotlines the one that may receive gets the report; if none may, desk and police do."""
    two = with_rules({"de-eco": ("FR",), "de-fsm": ()})
    assert route(two, "DE", KEY, origin="gb-iwf").assigned_hotline == "de-jugendschutz"
    none = with_rules(dict.fromkeys(("de-eco", "de-fsm", "de-jugendschutz"), ("FR",)))
    way = route(none, "DE", KEY, origin="gb-iwf")
    assert (way.assigned_hotline, way.desk, way.reason) == (None, "desk-orphans", "no_hotline")
    assert not {"de-eco", "de-fsm", "de-jugendschutz"} & set(readers_of(none, "DE", "gb-iwf"))
    assert route(none, "DE", KEY, origin="de-eco").assigned_hotline == "de-eco"


def test_police_that_may_not_receive_are_passed_over() -> None:
    """An escalation goes to INTERPOL where the national liaison may not receive from the origin's country."""
    directory = with_rules({"nl-police": ("NL",)})
    assert route(directory, "NL", KEY, origin="gb-iwf").liaisons == ("interpol",)
    assert "nl-police" not in readers_of(directory, "NL", "gb-iwf")
    assert route(directory, "NL", KEY, origin="nl-offlimits").liaisons == ("nl",)


@pytest.mark.parametrize("origin", ["nobody-at-all", "interpol"])
def test_an_origin_of_no_country_is_on_no_list(origin: str) -> None:
    """A restricted member gets nothing whose origin has no country by this directory; others do."""
    directory = with_rules({"nl-offlimits": REAL})
    assert route(directory, "NL", KEY, origin=origin).assigned_hotline is None
    assert "nl-offlimits" not in readers_of(directory, "NL", origin)
    assert route(with_rules({}), "NL", KEY, origin=origin).assigned_hotline == "nl-offlimits"


def test_an_origin_of_several_countries_needs_all_of_them() -> None:
    """One country of the origin that is not listed is enough to bar it."""
    members = tuple(
        replace(member, countries=("GB", "IE")) if member.id == "gb-iwf" else member
        for member in with_rules({"nl-offlimits": ("GB",)}).members
    )
    directory = replace(DIRECTORY, members=members)
    assert route(directory, "NL", KEY, origin="gb-iwf").assigned_hotline is None
    assert route(with_rules({"nl-offlimits": ("GB",)}), "NL", KEY, origin="gb-iwf").assigned_hotline


def test_the_rule_survives_publication() -> None:
    """A published document carries the rule; one of before the rule reads as one without."""
    directory = with_rules({"nl-offlimits": ("GB", "FR"), "de-eco": ()})
    assert from_bytes(to_bytes(directory)) == directory
    old = to_bytes(DIRECTORY).replace(b',"may_receive_from":null', b"")
    assert b"may_receive_from" not in old
    assert from_bytes(old) == DIRECTORY


def test_casekeeper_hands_a_report_to_the_desk_where_nobody_else_may_have_it(
    new_story: Callable[..., "Story"],
) -> None:
    """The barred hotline is sent nothing; desk and police are, and the origin is told that none has it."""
    directory = with_rules({"nl-offlimits": ("FR",)})
    story = new_story(directory=directory)
    story.report("gb-iwf")
    assert story.deliveries("nl-offlimits") == []
    assert [(each.kind, each.origin) for each in story.deliveries("desk-orphans")] == [
        ("assignment", "gb-iwf")
    ]
    assert [each.recipient for each in story.escalations()] == ["nl"]
    receipt = story.receipts()[-1]
    assert (receipt.outcome, receipt.assigned_hotline) == ("accepted", None)
    open_to_all = new_story()
    open_to_all.report("gb-iwf")
    assert open_to_all.deliveries("nl-offlimits")


def of_reports(story: "Story", member: str) -> list[tuple[str, str, str | None]]:
    """Answer kind, fact and origin of what a member got that names a report."""
    return [
        (each.kind, each.fact, each.origin)
        for each in story.deliveries(member)
        if each.report_event_id is not None
    ]


def test_a_further_report_that_may_not_be_given_is_only_announced(new_story: Callable[..., "Story"]) -> None:
    """The responsible hotline learns that a barred origin has reported it too, and gets no report."""
    story = new_story(directory=with_rules({"nl-offlimits": ("GB",)}))
    story.report("gb-iwf")
    story.report("de-eco")
    assert of_reports(story, "nl-offlimits") == [
        ("assignment", "assigned", "gb-iwf"),
        ("update", "linked", "de-eco"),
    ]
    told = story.deliveries("nl-offlimits")[-1]
    assert (told.statement, told.content, told.reference) == (None, None, None)
    assert [posting.content_of for posting in story.postings if posting.body is told] == [None]
    assert story.facts[-1].members == ("de-eco",)


def test_a_new_hotline_gets_the_reports_it_may_have(new_story: Callable[..., "Story"]) -> None:
    """With a leg go the reports of those origins only from which the next hotline may receive."""
    story = new_story(directory=with_rules({"us-ncmec": ("GB", "FR")}))
    for origin in ("gb-iwf", "de-eco", "fr-point-de-contact"):
        story.report(origin)
    assert [origin for _, _, origin in of_reports(story, "nl-offlimits")] == [
        "gb-iwf", "de-eco", "fr-point-de-contact",
    ]  # fmt: skip
    story.act("nl-offlimits", "moved", new_hosting_country="US", hosting_method="rdap", observed_at=story.now)
    assert of_reports(story, "us-ncmec") == [
        ("assignment", "assigned", "gb-iwf"),
        ("linked_report", "assigned", "fr-point-de-contact"),
    ]
    assert story.facts[-1].members == ("de-eco",)


def test_who_gets_which_report_follows_from_the_facts_alone(new_story: Callable[..., "Story"]) -> None:
    """What was decided by a directory stands in the facts: folded without one they give the same numbers."""
    story = new_story(directory=with_rules({"us-ncmec": ("GB",), "nl-offlimits": ("GB",)}))
    for origin in ("gb-iwf", "de-eco", "fr-point-de-contact"):
        story.report(origin)
    story.act("nl-offlimits", "moved", new_hosting_country="US", hosting_method="rdap", observed_at=story.now)
    folded = fold(story.facts)
    assert folded is not None
    assert folded.deliveries == story.case.deliveries


def test_who_may_not_have_a_report_is_not_asked_to_re_wrap_it(
    new_story: Callable[..., "Story"],
) -> None:
    """A hotline of an earlier leg that was never given a report of a barred origin is asked for nothing."""
    members = tuple(
        replace(member, keys=(sealing_key_of(member.id),))
        for member in with_rules({"nl-offlimits": ("GB",)}).members
    )
    story = new_story(directory=replace(DIRECTORY, members=members))
    story.report("gb-iwf", readers=["gb-iwf", "nl-offlimits"], hosting_status="provisional")
    story.report("de-eco", "US", readers=["de-eco"], hosting_status="confirmed")
    assert (story.case.state, story.case.former) == ("awaiting_rewrap", ("nl-offlimits",))
    asked = [each.recipient for each in story.deliveries() if each.kind == "rewrap_request"]
    assert asked == ["de-eco"]
    story.rewrap("de-eco", story.case.origins[1].last_event_id, ["de-eco", "us-ncmec"])
    assert story.deliveries("us-ncmec")[-1].kind == "rewrapped_report"


def test_a_hotline_gets_no_re_wrap_of_a_report_it_may_not_have(new_story: Callable[..., "Story"]) -> None:
    """What an origin wraps for a barred hotline is kept, and does not end the wait for what it may open."""
    members = tuple(
        replace(member, keys=(sealing_key_of(member.id),))
        for member in with_rules({"nl-offlimits": ("GB",)}).members
    )
    story = new_story(directory=replace(DIRECTORY, members=members))
    story.report("gb-iwf", readers=["gb-iwf"])
    story.report("de-eco", readers=["de-eco"])
    story.rewrap("de-eco", story.case.origins[1].last_event_id, ["de-eco", "nl-offlimits"])
    assert (story.kinds()[-1], story.facts[-1].members) == ("rewrapped", ("de-eco",))
    assert story.case.state == "awaiting_rewrap"
    assert "rewrapped_report" not in [each.kind for each in story.deliveries("nl-offlimits")]
