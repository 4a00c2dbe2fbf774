from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.due import due_times

if TYPE_CHECKING:
    from tests.casework.conftest import Story

DAY = 24 * 3_600_000


def doubted(story: "Story", country: str = "US", sender: str = "de-eco", **fields: object) -> "Story":
    """Let a report name another country, seen this very minute."""
    story.later(story.minute)
    story.report(sender, country, **{"observed_at": story.now, **fields})
    return story


def told(story: "Story", fact: str) -> set[str]:
    """Answer who got a delivery of the last fact of a kind."""
    number = next(one.number for one in reversed(story.facts) if one.fact == fact)
    return {each.recipient for each in story.deliveries() if each.fact_number == number}


def test_a_newer_word_on_the_host_is_put_to_the_responsible_hotline(opened: "Story") -> None:
    """The report is linked with its content, and the responsible hotline alone is asked about the host."""
    doubted(opened)
    assert opened.kinds()[-2:] == ["linked", "host_disputed"]
    linked, disputed = opened.deliveries("nl-offlimits")[-2:]
    assert (linked.kind, linked.content) == ("linked_report", b"content of de-eco")
    assert (disputed.fact, disputed.hosting_country, disputed.until) == (
        "host_disputed", "US", opened.now + DAY,
    )  # fmt: skip
    assert told(opened, "host_disputed") == {"nl-offlimits"}
    doubt = opened.case.doubt
    assert (doubt.hosting_country, doubt.by, doubt.report_event_id) == (
        "US", "de-eco", opened.facts[-2].report_event_id,
    )  # fmt: skip
    assert (opened.case.hosting_country, opened.case.leg) == ("NL", 1)


@pytest.mark.parametrize(
    ("country", "fields"),
    [
        ("US", {"observed_at": None}),
        ("US", {"observed_at": 0}),
        ("US", {"hosting_observed_at": 0}),
        ("NL", {}),
        ("ZZ", {}),
        ("XT", {}),
    ],
    ids=["unseen", "earlier", "host seen earlier", "same", "unknown", "tor"],
)
def test_no_doubt_without_a_newer_word_for_another_country(
    opened: "Story", country: str, fields: dict[str, object]
) -> None:
    """What was seen before the leg began, or names no other country, is linked and nothing more."""
    doubted(opened, country, **fields)
    assert (opened.kinds()[-1], opened.case.doubt) == ("linked", None)


def test_an_unanswered_doubt_takes_the_case_to_the_country_it_names(opened: "Story") -> None:
    """After the limit a new leg begins there by rule; all hotlines of the case learn it."""
    doubted(opened)
    due = opened.case.doubt.due_at
    opened.later(DAY - 10 * opened.minute).wake()
    assert "host_unanswered" not in opened.kinds()
    opened.later(opened.hour).wake()
    assert opened.kinds()[-2:] == ["host_unanswered", "assigned"]
    unanswered, assigned = opened.facts[-2:]
    assert (unanswered.due_at, unanswered.admitted_at, unanswered.members) == (due, due, ("de-eco",))
    assert (assigned.reason_code, assigned.admitted_at) == ("host_unanswered", due)
    case = opened.case
    assert (case.assigned_hotline, case.hosting_country, case.leg) == ("us-ncmec", "US", 2)
    assert (case.moves, case.chain, case.doubt) == (0, ("NL", "US"), None)
    assert told(opened, "assigned") == {"us-ncmec", "nl-offlimits", "gb-iwf", "de-eco"}


@pytest.mark.parametrize(
    ("action", "fields", "leg"),
    [
        ("hosting_confirmed", {}, 1),
        ("hosting_confirmed", {"new_hosting_country": "US"}, 2),
        ("moved", {"new_hosting_country": "US"}, 2),
        ("moved", {"new_hosting_country": "FR"}, 2),
        ("removed", {}, 1),
    ],
)
def test_an_answer_ends_the_doubt(opened: "Story", action: str, fields: dict[str, object], leg: int) -> None:
    """Confirming, moving and closing answer a doubt, so that it never fires."""
    doubted(opened)
    opened.act("nl-offlimits", action, **fields)
    assert opened.case.doubt is None
    opened.later(3 * DAY).wake()
    assert "host_unanswered" not in opened.kinds()
    assert opened.case.leg == leg


def test_a_doubt_is_answered_by_nobody_else(opened: "Story") -> None:
    """A confirmation of another party leaves the doubt where it is."""
    doubted(opened)
    opened.act("gb-iwf", "hosting_confirmed")
    assert opened.case.doubt is not None


def test_a_newer_doubt_replaces_the_country_and_not_the_time(opened: "Story") -> None:
    """The newest word counts in the end, and nobody can put off the end by further words."""
    doubted(opened)
    due = opened.case.doubt.due_at
    doubted(opened.later(opened.hour), "FR")
    assert (opened.case.doubt.hosting_country, opened.case.doubt.due_at) == ("FR", due)
    seen_between = opened.now - opened.hour
    opened.report("de-eco", "US", observed_at=seen_between)
    assert opened.kinds()[-1] == "linked", "older than the doubt"
    doubted(opened, "FR")
    assert opened.kinds()[-1] == "linked", "the doubt says so already"
    opened.later(DAY).wake()
    assert opened.case.hosting_country == "FR"


def test_an_observation_of_a_move_doubts_the_host(opened: "Story") -> None:
    """Whoever observes that the content moved asks the responsible hotline, as a report does."""
    opened.act(
        "nl-police", "observed", observation="moved", new_hosting_country="US", observed_at=opened.now + 1
    )
    assert opened.kinds()[-2:] == ["observed", "host_disputed"]
    assert (opened.case.doubt.by, opened.case.doubt.report_event_id) == ("nl-police", None)


def test_a_confirmed_host_outdoes_a_provisional_one_at_once(story: "Story") -> None:
    """Behind a delivery network the first report knew an edge only: the origin server decides, unasked."""
    story.report(hosting_status="provisional")
    story.report("de-eco", "US")
    assert story.kinds()[-2:] == ["linked", "assigned"]
    case = story.case
    assert (case.assigned_hotline, case.hosting_status, case.leg, case.moves) == (
        "us-ncmec", "confirmed", 2, 0,
    )  # fmt: skip
    got = [(each.kind, each.origin) for each in story.deliveries("us-ncmec")]
    assert got == [("assignment", "de-eco"), ("linked_report", "gb-iwf")]
    assert [each.kind for each in story.deliveries("nl-offlimits")] == ["assignment", "update"]
    assert told(story, "assigned") == {"us-ncmec", "nl-offlimits", "gb-iwf"}
    story.report("fr-point-de-contact", "NL", hosting_status="provisional")
    assert (story.kinds()[-1], story.case.assigned_hotline) == ("linked", "us-ncmec")


def test_an_edge_does_not_outdo_another_edge(story: "Story") -> None:
    """Of two provisional hosts neither is known: the later one is a doubt like any other."""
    story.report(hosting_status="provisional")
    doubted(story, hosting_status="provisional")
    assert story.kinds()[-2:] == ["linked", "host_disputed"]


def test_a_confirmed_host_of_the_sender_s_own_is_acknowledged_by_its_receipt(story: "Story") -> None:
    """A report that brings the case to its own sender is answered by the receipt and delivered to nobody."""
    story.report(hosting_status="provisional")
    story.report("us-ncmec", "US")
    assert story.kinds()[-3:] == ["linked", "assigned", "acknowledged"]
    assert story.receipts()[-1].assigned_hotline == "us-ncmec"
    assert [each.kind for each in story.deliveries("us-ncmec")] == ["linked_report"]


def test_a_confirmed_host_without_hotline_takes_the_case_to_desk_and_police(story: "Story") -> None:
    """The re-routed case waits at the desk, and the hotline it leaves gets no report any more."""
    story.report(hosting_status="provisional")
    story.report("de-eco", "HK")
    assert story.kinds()[-3:] == ["linked", "orphaned", "escalated"]
    assert [each.kind for each in story.deliveries("nl-offlimits")] == ["assignment", "update"]
    assert [each.origin for each in story.deliveries("desk-orphans")] == ["de-eco", "gb-iwf"]


def test_a_confirmed_host_of_the_same_country_confirms_the_case_s(story: "Story") -> None:
    """A second report that knows the host in the country of the case settles it."""
    story.report(hosting_status="provisional")
    story.report("de-eco")
    assert (story.kinds()[-1], story.case.hosting_status, story.case.leg) == ("linked", "confirmed", 1)


words = st.tuples(
    st.sampled_from(["gb-iwf", "de-eco", "nl-offlimits", "us-ncmec"]),
    st.sampled_from(["NL", "US", "FR", "HK"]),
    st.integers(-3, 0),
    st.sampled_from(["provisional", "confirmed"]),
    st.integers(0, 30),
)


@given(lines=st.lists(words, max_size=25))
def test_words_on_the_host_never_make_a_case_bounce(
    new_story: "Callable[[], Story]", lines: list[tuple]
) -> None:
    """Each word begins one leg at the most, and each doubt ends within its day."""
    story = new_story()
    story.report(hosting_status="provisional")
    for sender, country, seen, status, hours in lines:
        story.later(hours * story.hour)
        seen_at = story.now + seen * story.hour
        story.report(sender, country, observed_at=seen_at, hosting_status=status)
        if story.case.doubt is not None:
            assert story.case.doubt.due_at in {due.at for due in due_times(story.case)}
            assert story.now < story.case.doubt.due_at <= story.now + DAY
            assert story.case.doubt.hosting_country != story.case.hosting_country
    legs = [fact for fact in story.facts if fact.fact in {"assigned", "orphaned"}]
    assert [leg.leg for leg in legs] == list(range(1, len(legs) + 1))
    assert len(legs) <= 1 + len(lines)
    assert story.kinds().count("linked") == len(lines)
