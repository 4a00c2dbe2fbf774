from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.states import AWAITING_REWRAP
from casework.transition_rows import DURING_HOLD, NOTICE_CONDITIONS, POLICE_CONSENT, POLICE_FIRST, Transition
from casework.transition_table import TABLE

if TYPE_CHECKING:
    from casework.directory import Directory
    from tests.casework.conftest import Story

HOUR = 3_600_000
Teller = Callable[..., "Story"]


@pytest.fixture
def under(new_story: "Callable[..., Story]", network: "Directory") -> Teller:
    """Return the maker of stories of a report in NL under a notice rule."""

    def tell(notice_rule: str, police_wait_ms: int = 0) -> "Story":
        rules = tuple(
            msgspec.structs.replace(rule, notice_rule=notice_rule, police_wait_ms=police_wait_ms)
            if rule.code == "NL"
            else rule
            for rule in network.countries
        )
        story = new_story(directory=msgspec.structs.replace(network, countries=rules))
        story.report()
        return story

    return tell


ROWS = [
    (row, state)
    for row in TABLE
    if row.when in NOTICE_CONDITIONS
    for state in row.states
    if state != AWAITING_REWRAP
]
RULE_OF = {DURING_HOLD: "any", POLICE_FIRST: "police_first", POLICE_CONSENT: "police_consent"}


@pytest.mark.parametrize(("row", "state"), ROWS)
def test_notices_do_what_their_rows_say(under: Teller, row: Transition, state: str) -> None:
    """Each row of a notice against a rule gives its facts, breach and state from each of its states."""
    story = under(RULE_OF[row.when], police_wait_ms=HOUR)
    if row.when == DURING_HOLD:
        story.act("nl-police", "hold")
    if state == "provider_informed":
        story.act("nl-offlimits", state, recipient_role="registrar")
    elif state != "assigned":
        story.act("nl-offlimits", state, classification="national", law_country="NL")
    kept = story.act("nl-offlimits", row.event)
    assert (tuple(fact.fact for fact in kept.facts), kept.facts[0].breaches) == (row.facts, (row.breach,))
    assert story.case.state == row.state


def breaches(story: "Story", **fields: object) -> tuple[str, ...]:
    """Let the hotline tell the provider; answer the breaches it is recorded with."""
    return story.act("nl-offlimits", "provider_informed", **fields).facts[0].breaches


def test_any_order_breaks_no_rule(under: Teller) -> None:
    """Where the country asks for no order the provider may be told first."""
    assert breaches(under("any")) == ()


def test_police_come_first_where_the_country_says_so(under: Teller) -> None:
    """A notice before police were told counts, is a breach, and police learn of it."""
    story = under("police_first")
    assert breaches(story) == ("before_police",)
    assert story.case.state == "provider_informed"
    told = story.deliveries("nl-police")[-1]
    assert (told.fact, told.reason_code, told.by) == ("breach_reported", "before_police", "exchange")
    assert [fact.rule for fact in story.facts if fact.fact == "breach_reported"] == ["before_police"]


def test_police_get_their_time(under: Teller) -> None:
    """The notice waits after police were told, as long as the country says and no longer."""
    for waited, expected in ((HOUR, ("before_police",)), (2 * HOUR, ())):
        story = under("police_first", police_wait_ms=2 * HOUR)
        story.act("nl-offlimits", "police_informed")
        story.later(waited - story.minute)
        assert breaches(story) == expected


def test_police_must_consent_where_the_country_says_so(under: Teller) -> None:
    """Without a release in this leg a notice is a breach; after one it is none."""
    assert breaches(under("police_consent")) == ("without_consent",)
    story = under("police_consent")
    story.act("nl-police", "release")
    assert (story.facts[-1].fact, story.deliveries("nl-offlimits")[-1].fact) == ("released", "released")
    assert story.act("nl-police", "release").postings[-1].body.rule == "already_done"
    assert breaches(story) == ()
    assert not story.deliveries("nl-police")


@pytest.mark.parametrize("end", ["release", "expiry"])
def test_a_hold_that_police_let_go_is_their_consent(under: Teller, end: str) -> None:
    """Whether police release their hold or let it expire, the notice is permitted."""
    story = under("police_consent")
    story.act("nl-police", "hold", hold_until=story.now + HOUR)
    if end == "release":
        story.act("nl-police", "release")
    else:
        story.later(HOUR)
    assert breaches(story) == ()


def test_a_hotline_consents_to_nothing(under: Teller) -> None:
    """A hold that the hotline itself sets and releases is no word of police."""
    story = under("police_consent")
    story.act("nl-offlimits", "hold")
    story.act("nl-offlimits", "release")
    assert breaches(story) == ("without_consent",)


def test_a_consent_is_of_its_leg(under: Teller) -> None:
    """After the case was closed and seen again police are asked again."""
    story = under("police_consent")
    story.act("nl-police", "release")
    story.act("nl-offlimits", "removed")
    story.later(HOUR).report("de-eco", observed_at=story.now)
    assert breaches(story) == ("without_consent",)


def test_a_notice_despite_a_hold_ends_it(under: Teller) -> None:
    """The host knows now: the notice counts with its breach, the hold is over, police know."""
    story = under("any")
    story.act("fr-police", "hold")
    story.act("nl-police", "hold", fact_number=story.case.number)
    assert breaches(story) == ("despite_hold",)
    assert story.case.hold is None
    assert story.case.provider_informed_at is not None
    for member in ("nl-police", "fr-police"):
        told = story.deliveries(member)[-1]
        assert (told.fact, told.reason_code) == ("hold_ended", "provider_informed")


def test_telling_others_than_the_host_leaves_the_hold(under: Teller) -> None:
    """A notice to the registrar breaks the hold and does not end it; police learn of each."""
    story = under("any")
    story.act("nl-police", "hold")
    assert breaches(story, recipient_role="registrar") == ("despite_hold",)
    assert story.case.hold is not None
    assert story.deliveries("nl-police")[-1].reason_code == "despite_hold"
    assert breaches(story, recipient_role="host") == ("despite_hold",)
    assert story.case.hold is None


def test_each_breach_is_reported(under: Teller) -> None:
    """A notice may break a hold and the country's rule at once; police learn of both."""
    story = under("police_consent")
    story.act("nl-police", "hold")
    assert breaches(story) == ("despite_hold", "without_consent")
    assert [d.fact for d in story.deliveries("nl-police")] == ["breach_reported", "hold_ended"]


def test_a_notice_without_right_changes_nothing(under: Teller) -> None:
    """Who is not responsible ends no hold and breaks no order, whatever it says."""
    story = under("police_consent")
    story.act("nl-police", "hold")
    kept = story.act("gb-iwf", "provider_informed")
    assert [fact.fact for fact in kept.facts] == ["provider_informed"]
    assert kept.facts[0].breaches == ("not_responsible",)
    assert story.case.hold is not None
