"""The laws to which every random history is held can fail: each sees what breaks it."""

import laws
import msgspec
import pytest
from rare_stories import reported, ruled, said
from side_by_side import SideBySide
from teller import Teller

replace = msgspec.structs.replace


@pytest.fixture(name="told")
def _told() -> SideBySide:
    """Answer a case that a hotline has declined: the other hotline of its country has it."""
    return Teller().tell([reported("DE"), said("decline", "responsible")])


@pytest.mark.parametrize(
    "broken", [{"desk": "desk-orphans"}, {"pool": ("de-fsm",)}, {"assigned_hotline": None}]
)
def test_a_case_with_nobody_or_with_two_breaks_a_law(told: SideBySide, broken: dict[str, object]) -> None:
    """A case is with one hotline, one pool or one desk, or police alone were told."""
    assert told.case is not None
    laws.a_case_is_with_one_party_or_a_named_queue(told.case)
    with pytest.raises(AssertionError):
        laws.a_case_is_with_one_party_or_a_named_queue(replace(told.case, **broken))


def test_a_case_without_a_time_and_without_a_true_reason_breaks_a_law(told: SideBySide) -> None:
    """A hotline that has a case of a real country has a time to act until."""
    assert told.case is not None
    facts = told.naive["facts"]
    laws.an_open_case_has_a_next_time_or_a_true_reason_for_none(told.case, facts)
    without = replace(told.case, deadlines=None, lease=None, open_escalations=())
    with pytest.raises(AssertionError):
        laws.an_open_case_has_a_next_time_or_a_true_reason_for_none(without, facts)


@pytest.mark.parametrize(("which", "by"), [(0, 1), (1, -1), (1, 1)])
def test_legs_with_a_gap_or_an_overlap_break_a_law(told: SideBySide, which: int, by: int) -> None:
    """Each leg begins at the millisecond in which the one before ends."""
    rounds, legs = laws.rounds_of(told.moments), list(laws.legs_of(told.moments))
    assert len(legs) > 1
    laws.legs_tile_each_round(rounds, legs)
    legs[which] = replace(legs[which], since=legs[which].since + by)
    with pytest.raises(AssertionError):
        laws.legs_tile_each_round(rounds, legs)


@pytest.mark.parametrize("recipient", ["fr-phare", "europol", "desk-orphans", "feed.de-police"])
def test_a_delivery_to_who_is_no_party_breaks_a_law(told: SideBySide, recipient: str) -> None:
    """Members of elsewhere, a desk where the case never lay, a feed nobody subscribed to: no party."""
    facts, sent = told.naive["facts"], told.sent[-1]
    laws.nobody_gets_a_case_without_being_a_party(sent, facts, len(facts))
    with pytest.raises(AssertionError):
        laws.nobody_gets_a_case_without_being_a_party(replace(sent, recipient=recipient), facts, len(facts))


def test_two_messages_with_one_id_break_a_law(told: SideBySide) -> None:
    """Whoever gets the second takes it for a copy of the first."""
    laws.each_message_has_an_id_of_its_own(told.sent, told.escalated)
    with pytest.raises(AssertionError):
        laws.each_message_has_an_id_of_its_own([*told.sent, told.sent[0]], told.escalated)


def test_a_report_to_who_may_not_have_it_breaks_a_law() -> None:
    """The directory says from whose countries a member may be given reports."""
    told = Teller().tell([ruled(receives="few for hotlines"), reported("FR", sender="de-eco")])
    sent = next(one for one in told.sent if one.kind == "assignment")
    assert sent.recipient == "fr-phare"
    laws.nobody_gets_a_report_that_it_may_not_have(sent, told.naive["facts"])
    with pytest.raises(AssertionError):
        laws.nobody_gets_a_report_that_it_may_not_have(
            replace(sent, recipient="fr-point"), told.naive["facts"]
        )
