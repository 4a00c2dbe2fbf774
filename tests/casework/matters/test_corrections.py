from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.statements import MAX_STATED, assessment_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from casework.directory import Directory
    from tests.casework.conftest import Story

TWO = {"analyst": "a-1", "second_analyst": "a-2"}
COUNTERS = {"number", "source_offset", "last_now", "seen", "deliveries", "stated", "asked"}


def number_of(story: "Story", fact: str) -> int:
    """Answer the number of the last fact of a kind."""
    return next(one.number for one in reversed(story.facts) if one.fact == fact)


def correct(story: "Story", sender: str, fact: str, **fields: Any) -> str | None:  # noqa: ANN401 - fields of an action
    """Let a member correct the last fact of a kind; answer the rule that kept it from that."""
    values = {"reason_code": "wrong_entry", "fact_number": number_of(story, fact)}
    story.act(sender, "corrected", **{**values, **fields})
    return story.receipts()[-1].rule


def bare(story: "Story") -> dict[str, Any]:
    """Answer the state without what every fact changes."""
    return {name: value for name, value in msgspec.structs.asdict(story.case).items() if name not in COUNTERS}


STEPS = ("acknowledged", "assessed", "police_informed", "provider_informed", "removed", "unavailable")


@given(
    before=st.lists(st.sampled_from(STEPS[:4]), max_size=4, unique=True),
    wrong=st.sampled_from(STEPS),
    notes=st.integers(0, 40),
)
def test_what_never_happened_leaves_the_leg_as_it_was(
    new_story: "Callable[[], Story]", before: list[str], wrong: str, notes: int
) -> None:
    """Taking back a step gives the state before it, whatever was told and noted in between."""
    story = new_story()
    story.report()
    for step in before:
        story.act("nl-offlimits", step, classification="national", law_country="NL")
    was = bare(story)
    count = story.case.number
    story.act("nl-offlimits", wrong, classification="national", law_country="NL", reason_code="other")
    if story.facts[-1].fact == "not_applicable" or story.facts[count].breaches:
        return
    number = story.facts[count].number
    for _ in range(notes):
        story.act("gb-iwf", "note")
    assert correct(story, "nl-offlimits", wrong, fact_number=number) is None
    after = bare(story)
    if wrong == "assessed":
        after |= {"assessed_at": was["assessed_at"]}
    assert after == was
    assert len(story.case.stated) <= MAX_STATED


def test_a_case_goes_on_when_its_end_was_wrong(opened: "Story") -> None:
    """After a wrong end the case is open again, its hotline is responsible, and its deadlines have run on."""
    opened.act("nl-offlimits", "police_informed")
    opened.act("nl-offlimits", "removed")
    opened.later(30 * 24 * opened.hour)
    assert correct(opened, "nl-offlimits", "removed") is None
    assert (opened.case.state, opened.case.outcome, opened.case.closed_at) == ("police_informed", None, None)
    opened.wake()
    assert {fact.step for fact in opened.facts if fact.fact == "overdue"} >= {"confirm_removal"}
    opened.act("nl-offlimits", "removed")
    assert opened.case.state == "closed"


def test_another_end_takes_the_place_of_a_wrong_one(opened: "Story") -> None:
    """A case that was closed as removed is closed as unavailable, since the same time."""
    opened.act("nl-offlimits", "removed")
    closed_at = opened.case.closed_at
    assert correct(opened, "nl-offlimits", "removed", corrected_action="unavailable") is None
    assert (opened.case.outcome, opened.case.closed_at) == ("unavailable", closed_at)
    assert opened.deliveries("gb-iwf")[-1].outcome == "unavailable"


def test_the_reason_of_an_end_is_set_right(opened: "Story") -> None:
    """The same end with another reason of ICCAM's list: who was told the wrong one is told the right one."""
    opened.act("nl-offlimits", "not_illegal", reason_code="adult_pornography")
    wrong = number_of(opened, "not_illegal")
    closed_at = opened.case.closed_at
    right = {"corrected_action": "not_illegal", "reason_code": "virtual_material"}
    assert correct(opened, "nl-offlimits", "not_illegal", **right) is None
    told = opened.deliveries("gb-iwf")[-1]
    assert (told.fact_ref, told.outcome, told.reason_code) == (wrong, "not_illegal", "virtual_material")
    assert (opened.case.outcome, opened.case.closed_at) == ("not_illegal", closed_at)


def test_an_end_that_takes_the_place_of_another_judges_nothing(opened: "Story") -> None:
    """A classification given with the correction of an end is no assessment, now or later."""
    opened.act("nl-offlimits", "assessed", classification="national", law_country="NL")
    opened.act("nl-offlimits", "removed")
    values = {"corrected_action": "unavailable", "classification": "not_illegal"}
    assert correct(opened, "nl-offlimits", "removed", **values) is None
    assert correct(opened, "nl-offlimits", "assessed") is None
    assert (opened.case.classification, opened.case.outcome) == (None, "unavailable")


def test_no_case_goes_on_without_a_report(opened: "Story") -> None:
    """All reports were withdrawn after a wrong end: taking that back leaves the case closed as withdrawn."""
    opened.act("nl-offlimits", "removed")
    opened.act("gb-iwf", "withdraw", reason_code="wrong_entry")
    assert correct(opened, "nl-offlimits", "removed") is None
    assert opened.kinds()[-2:] == ["corrected", "closed"]
    assert (opened.case.state, opened.case.outcome) == ("closed", "withdrawn")
    opened.later(30 * 24 * opened.hour).wake()
    assert opened.case.state == "closed"


def test_a_step_takes_the_place_of_a_wrong_one(opened: "Story") -> None:
    """Police were told, not the provider, and at the time that was entered."""
    opened.act("nl-offlimits", "provider_informed")
    at = opened.case.provider_informed_at
    correct(opened, "nl-offlimits", "provider_informed", corrected_action="police_informed")
    assert (opened.case.police_informed_at, opened.case.provider_informed_at) == (at, None)
    assert opened.case.state == "police_informed"


def test_a_correction_can_be_corrected(opened: "Story") -> None:
    """What stands after a correction has the number of the correction."""
    opened.act("nl-offlimits", "removed")
    wrong = number_of(opened, "removed")
    correct(opened, "nl-offlimits", "removed", corrected_action="unavailable")
    assert correct(opened, "nl-offlimits", "removed", fact_number=wrong) == "not_your_fact"
    assert correct(opened, "nl-offlimits", "corrected") is None
    assert opened.case.state == "assigned"


def test_everybody_who_may_hold_the_wrong_fact_is_told_and_asked(opened: "Story") -> None:
    """All origins and hotlines get a correction with the number it replaces, and are asked to confirm."""
    opened.report("de-eco", "NL")
    opened.act("nl-offlimits", "removed")
    wrong = number_of(opened, "removed")
    correct(opened, "nl-offlimits", "removed")
    for member in ("gb-iwf", "de-eco"):
        told = opened.deliveries(member)[-1]
        assert (told.fact, told.fact_ref, told.needs_confirmation) == ("corrected", wrong, True)
        opened.act(member, "confirmed", fact_number=told.fact_number)
        assert opened.receipts()[-1].outcome == "accepted"
    assert opened.case.asked == ()


def test_police_and_authorities_that_were_told_learn_what_was_wrong(
    new_story: "Callable[..., Story]", network: "Directory"
) -> None:
    """By escalation, feed or inbox: whoever had a word of the case is told and asked; others are not."""
    members = tuple(
        msgspec.structs.replace(one, feed="all_hosted") if one.id == "nl-police" else one
        for one in network.members
    )
    story = new_story(directory=msgspec.structs.replace(network, members=members))
    story.report("gb-iwf", classification="baseline", urgency=("possible_new_victim",))
    story.act("nl-offlimits", "provider_informed")
    story.later(8 * 24 * story.hour).wake()
    story.act("nl-offlimits", "removed")
    police = {"nl-police", "nl-atkm"}
    assert correct(story, "nl-offlimits", "removed") is None
    assert set(story.facts[-1].members) == {"gb-iwf", *police}
    assert all(story.deliveries(one)[-1].needs_confirmation for one in police)
    story.act("gb-iwf", "withdraw", reason_code="wrong_entry")
    withdrawn = next(one for one in story.facts if one.fact == "withdrawn")
    assert set(withdrawn.members) == {"nl-offlimits", *police}
    assert not story.deliveries("fr-police")


@pytest.mark.parametrize("sender", ["gb-iwf", "nl-police"])
def test_nobody_corrects_another_members_fact(opened: "Story", sender: str) -> None:
    """Only its maker corrects a fact."""
    opened.act("nl-offlimits", "removed")
    before = bare(opened)
    assert correct(opened, sender, "removed") == "not_your_fact"
    assert bare(opened) == before


def test_ends_and_steps_are_not_exchanged(opened: "Story") -> None:
    """A step cannot become an end by a correction, nor an end a step."""
    opened.act("nl-offlimits", "police_informed")
    assert correct(opened, "nl-offlimits", "police_informed", corrected_action="removed") == "other_kind"
    assert opened.case.state == "police_informed"


def test_a_step_that_was_taken_is_not_put_a_second_time(opened: "Story") -> None:
    """A correction cannot make a step count twice."""
    opened.act("nl-offlimits", "police_informed")
    opened.act("nl-offlimits", "provider_informed")
    rule = correct(opened, "nl-offlimits", "provider_informed", corrected_action="police_informed")
    assert rule == "already_done"


def test_a_baseline_assessment_is_corrected_by_two_persons_of_its_maker(story: "Story") -> None:
    """One analyst alone cannot take back a baseline assessment; two of its maker can."""
    story.report("gb-iwf", "NL", classification="baseline", law_country="GB")
    new = {"classification": "national", "law_country": "GB"}
    assert correct(story, "gb-iwf", "opened", **new, analyst="a-1") == "two_persons_required"
    assert correct(story, "nl-offlimits", "opened", **new, **TWO) == "not_your_fact"
    assert correct(story, "gb-iwf", "opened", **new, **TWO) is None
    assert (story.case.classification, story.case.classified_by) == ("national", "gb-iwf")
    assert story.deliveries("nl-offlimits")[-1].classification == "national"


def test_an_assessment_gives_way_to_the_one_before_it(story: "Story") -> None:
    """When the newer assessment never was, the older one is the case's again."""
    story.report("gb-iwf", "NL", classification="national", law_country="GB")
    story.act("nl-offlimits", "assessed", classification="baseline", law_country="NL")
    assert correct(story, "nl-offlimits", "assessed", **TWO) is None
    assert (story.case.classification, story.case.classified_by) == ("national", "gb-iwf")
    assert (story.case.assessed_at, story.case.state) == (None, "assigned")


def test_a_corrected_assessment_names_its_law(opened: "Story") -> None:
    """A national assessment carries its country, also as a correction."""
    opened.act("nl-offlimits", "assessed", classification="national", law_country="NL")
    rule = correct(opened, "nl-offlimits", "assessed", classification="national")
    assert rule == "law_country_required"
    rule = correct(opened, "nl-offlimits", "assessed", classification="unassessed")
    assert rule == "classification_required"


def test_a_fact_of_an_earlier_leg_is_told_and_changes_nothing(opened: "Story") -> None:
    """What a new round began with stays when something of the round before it is corrected."""
    opened.act("nl-offlimits", "removed")
    opened.report("gb-iwf", "NL", observed_at=opened.later(opened.hour).now)
    before = bare(opened)
    assert correct(opened, "nl-offlimits", "removed") is None
    assert bare(opened) == before
    assert opened.deliveries("gb-iwf")[-1].fact == "corrected"


def test_a_fact_that_did_not_count_is_corrected_without_effect(opened: "Story") -> None:
    """An action by somebody who is not responsible can be taken back too."""
    opened.act("gb-iwf", "removed")
    before = bare(opened)
    assert correct(opened, "gb-iwf", "removed") is None
    assert bare(opened) == before


def test_no_statement_makes_no_assessment() -> None:
    """Without statements there is no assessment."""
    assert set(assessment_of((), 1).values()) == {None}


def test_a_doubt_goes_with_the_observation_that_raised_it(opened: "Story") -> None:
    """Nobody has to answer a doubt about the host that rests on a wrong observation."""
    seen = {"observation": "moved", "new_hosting_country": "DE", "observed_at": opened.later(opened.hour).now}
    opened.act("gb-iwf", "observed", **seen)
    assert opened.case.doubt is not None
    assert correct(opened, "gb-iwf", "observed") is None
    assert opened.case.doubt is None


def test_a_wrong_reference_is_replaced(opened: "Story") -> None:
    """The reference that a correction gives is the case's; without any step there is none."""
    opened.act("nl-offlimits", "acknowledged", reference="NL-1")
    right = {"corrected_action": "acknowledged", "reference": "NL-2"}
    assert correct(opened, "nl-offlimits", "acknowledged", **right) is None
    assert opened.case.reference == "NL-2"
    assert correct(opened, "nl-offlimits", "corrected") is None
    assert opened.case.reference is None


def test_another_role_takes_the_place_of_a_wrong_one(opened: "Story") -> None:
    """Who told the registrar and entered the host sets it right, and may then tell the host."""
    opened.act("nl-offlimits", "provider_informed", recipient_role="host")
    right = {"corrected_action": "provider_informed", "recipient_role": "registrar"}
    assert correct(opened, "nl-offlimits", "provider_informed", **right) is None
    assert (opened.case.done, opened.case.provider_informed_at) == (("provider_informed:registrar",), None)
    opened.act("nl-offlimits", "provider_informed")
    assert opened.receipts()[-1].outcome == "accepted"


def test_an_item_that_was_not_read_informs_nobody(story: "Story") -> None:
    """A liaison that takes its acknowledgement back was not informed: that is left for the hotline to do."""
    members = tuple(
        msgspec.structs.replace(m, feed="all_hosted", feed_informs_police=True) if m.id == "nl-police" else m
        for m in story.directory.members
    )
    story.directory = msgspec.structs.replace(story.directory, members=members)
    story.report()
    story.act("nl-police", "acknowledged")
    assert story.case.police_informed_at is not None
    assert correct(story, "nl-police", "feed_acknowledged") is None
    assert (story.case.police_informed_at, story.case.done) == (None, ())
    story.act("nl-offlimits", "police_informed")
    story.act("nl-police", "acknowledged")
    assert [receipt.outcome for receipt in story.receipts()[-2:]] == ["accepted", "accepted"]
