from typing import TYPE_CHECKING

import pytest

from casework.action_rules import MAX_WAITING
from casework.codes import ACTIONS as ALL_ACTIONS
from casework.matters import ACTION_RULES
from casework.transitions import ACTIONS

if TYPE_CHECKING:
    from tests.casework.conftest import Story

UNCHANGED = ("state", "done", "outcome", "classification", "acknowledged_at", "closed_at", "reference")


def standing(story: "Story") -> list[object]:
    """Answer what a fact without effect must leave alone."""
    return [getattr(story.case, name) for name in UNCHANGED]


def refusal(story: "Story") -> tuple[str | None, str | None]:
    """Answer rule and field of the last receipt, which must be a refusal that tells nothing of the case."""
    receipt = story.receipts()[-1]
    assert receipt.outcome == "refused"
    assert (receipt.case_id, receipt.state, receipt.assigned_hotline, receipt.fact_number) == (None,) * 4
    assert receipt.field in receipt.message
    return receipt.rule, receipt.field


def test_a_later_step_implies_the_acknowledgement(opened: "Story") -> None:
    """Provider informed without acknowledged is legal, breaks no rule and stops the first clock."""
    opened.act("nl-offlimits", "provider_informed")
    assert opened.receipts()[-1].breaches == ()
    assert (opened.case.state, opened.case.acknowledged_at) == ("provider_informed", opened.now)
    opened.act("nl-offlimits", "acknowledged", reference="nl-1")
    assert (opened.case.state, opened.case.reference) == ("provider_informed", "nl-1")
    assert opened.case.acknowledged_at < opened.now


def test_police_and_provider_come_in_either_order(opened: "Story") -> None:
    """A state is the furthest step: police told after the provider take nothing back."""
    opened.act("nl-offlimits", "provider_informed")
    opened.act("nl-offlimits", "police_informed")
    assert opened.case.state == "provider_informed"
    assert opened.case.police_informed_at > opened.case.provider_informed_at


def test_each_step_counts_once_in_a_leg(opened: "Story") -> None:
    """A step that was taken already is answered as not applicable, is remembered and changes nothing."""
    opened.act("nl-offlimits", "police_informed")
    before = standing(opened)
    kept = opened.act("nl-offlimits", "police_informed")
    assert [fact.fact for fact in kept.facts] == ["not_applicable"]
    assert (opened.receipts()[-1].outcome, opened.receipts()[-1].rule) == ("not_applicable", "already_done")
    assert standing(opened) == before


def test_providers_of_each_role_are_informed_once(opened: "Story") -> None:
    """Host, registrar and others count apart; only the host stops the clock; no role means host."""
    opened.act("nl-offlimits", "provider_informed", recipient_role="registrar")
    assert (opened.case.state, opened.case.provider_informed_at) == ("provider_informed", None)
    opened.act("nl-offlimits", "provider_informed")
    assert opened.case.provider_informed_at == opened.now
    opened.act("nl-offlimits", "provider_informed", recipient_role="host")
    assert [receipt.outcome for receipt in opened.receipts()[1:]] == [
        "accepted",
        "accepted",
        "not_applicable",
    ]


def test_nobody_judges_after_an_action(opened: "Story") -> None:
    """An assessment after police or a provider were told is recorded as out of order and judges nothing."""
    opened.act("nl-offlimits", "police_informed")
    before = standing(opened)
    opened.act("nl-offlimits", "assessed", classification="baseline")
    assert opened.receipts()[-1].breaches == ("out_of_order",)
    assert standing(opened) == before
    assert opened.deliveries("gb-iwf")[-1].breaches == ("out_of_order",), "its origin is told"


@pytest.mark.parametrize(
    "action", sorted(ACTIONS - {"observed", "removed", "rewrap", "key_mismatch"} - ACTION_RULES.keys())
)
def test_nothing_counts_after_a_final_action(opened: "Story", action: str) -> None:
    """After the end everything but an observation is recorded as out of order."""
    opened.act("nl-offlimits", "removed")
    before = standing(opened)
    opened.act("nl-offlimits", action, reason_code="other", classification="baseline")
    assert opened.receipts()[-1].breaches == ("out_of_order",)
    assert standing(opened) == before


def test_removed_twice_is_not_applicable(opened: "Story") -> None:
    """The same end twice is the same action twice."""
    opened.act("nl-offlimits", "removed")
    opened.act("nl-offlimits", "removed")
    assert opened.receipts()[-1].rule == "already_done"


def test_an_observation_counts_at_any_time_from_any_party(opened: "Story") -> None:
    """Anybody entitled may say what it saw; the responsible hotline learns it; closed stays closed."""
    opened.act("nl-offlimits", "removed")
    opened.act("gb-iwf", "observed", is_online=True, observed_at=opened.now - 1)
    assert (opened.case.state, opened.receipts()[-1].breaches) == ("closed", ())
    assert opened.case.last_observed_at == opened.now - opened.minute - 1
    assert opened.deliveries("nl-offlimits")[-1].fact == "observed"
    opened.act("gb-iwf", "observed", is_online=False)
    assert opened.case.last_observed_at == opened.now - 2 * opened.minute - 1


def test_a_party_that_is_not_responsible_changes_nothing(opened: "Story") -> None:
    """An origin's removal is recorded with its breach and told to the hotline whose case it is."""
    before = standing(opened)
    opened.act("gb-iwf", "removed")
    assert opened.facts[-1].breaches == ("not_responsible",)
    assert opened.receipts()[-1].outcome == "accepted"
    assert standing(opened) == before
    assert (opened.deliveries("nl-offlimits")[-1].by, opened.deliveries("gb-iwf")) == ("gb-iwf", [])


def test_police_of_the_country_are_a_party(opened: "Story") -> None:
    """Police of the hosting country may speak about a case; what they say is recorded, not obeyed."""
    opened.act(opened.directory.liaison("nl").id, "removed")
    assert opened.facts[-1].breaches == ("not_responsible",)
    opened.act(opened.directory.liaison("fr").id, "removed")
    assert refusal(opened) == ("not_a_party", "sender")


def test_police_with_an_escalation_are_a_party(story: "Story") -> None:
    """A liaison that was told of a case may speak about it: INTERPOL of a host without own police."""
    story.report("gb-iwf", "CM")
    story.act(story.directory.liaison("interpol").id, "observed", is_online=True)
    assert story.receipts()[-1].outcome == "accepted"


def test_a_mandated_hotline_may_speak_about_an_orphan(story: "Story") -> None:
    """While nobody is responsible, hotlines with the mandate may; their steps wait for claims to count."""
    story.report("gb-iwf", "HK")
    mandated = next(m.id for m in story.directory.members if "orphans" in m.mandates and m.id != "gb-iwf")
    story.act(mandated, "acknowledged")
    assert story.facts[-1].breaches == ("not_responsible",)
    assert story.deliveries("desk-orphans")[-1].by == mandated


def test_a_stranger_is_refused_and_told_nothing(opened: "Story") -> None:
    """A member without part in the case is refused by its name field, and the case remembers only that."""
    before = standing(opened)
    opened.act("hr-csi", "observed", is_online=True)
    assert refusal(opened) == ("not_a_party", "sender")
    assert (opened.facts[-1].fact, opened.facts[-1].rule) == ("refused", "not_a_party")
    assert standing(opened) == before


def test_the_table_knows_every_action_of_the_code_list() -> None:
    """Nothing that intake admits is unknown to the rules."""
    assert set(ALL_ACTIONS.codes) == set(ACTIONS)


def test_what_the_table_does_not_know_is_refused(opened: "Story") -> None:
    """An action of a later version is refused, with or without a case, and its word is not repeated."""
    action = "foretold"
    opened.act("nl-offlimits", action)
    assert refusal(opened) == ("not_in_table", "action")
    assert action not in opened.receipts()[-1].message
    fresh = type(opened)(b"\x01" + bytes(32))
    assert fresh.act("nl-offlimits", action).case is None
    assert refusal(fresh) == ("not_in_table", "action")


@pytest.mark.parametrize("action", ["unavailable", "not_illegal"])
def test_some_ends_need_a_reason(opened: "Story", action: str) -> None:
    """Unavailable and not illegal are refused without a reason code."""
    opened.act("nl-offlimits", action)
    assert refusal(opened) == ("reason_required", "reason_code")
    opened.act("nl-offlimits", action, reason_code="other")
    assert opened.case.outcome == action


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("classification_required", "classification")),
        ({"classification": "unassessed"}, ("classification_required", "classification")),
        ({"classification": "national"}, ("law_country_required", "law_country")),
    ],
)
def test_an_assessment_says_what_and_under_whose_law(
    opened: "Story", fields: dict[str, str], expected: tuple[str, str]
) -> None:
    """An assessment without a judgement, or a national one without its law, is refused."""
    opened.act("nl-offlimits", "assessed", **fields)
    assert refusal(opened) == expected


def test_a_baseline_assessment_is_corrected_by_its_maker_only(story: "Story") -> None:
    """The host's other judgement of a baseline item is recorded with its breach; an equal one counts."""
    story.report(classification="baseline")
    story.act("nl-offlimits", "assessed", classification="national", law_country="NL")
    assert story.facts[-1].breaches == ("not_responsible",)
    assert (story.case.classification, story.case.classified_by) == ("baseline", "gb-iwf")
    story.act("nl-offlimits", "assessed", classification="baseline")
    assert (story.facts[-1].breaches, story.case.state) == ((), "assessed")
    assert story.case.classified_by == "gb-iwf"


def test_a_national_assessment_may_be_overruled_by_the_host(story: "Story") -> None:
    """The hosting hotline judges under its own law, and the case says whose law it was."""
    story.report(classification="national", law_country="UK")
    story.act("nl-offlimits", "assessed", classification="not_illegal", law_country="NL")
    assert (story.case.classification, story.case.classified_by, story.case.law_country) == (
        "not_illegal", "nl-offlimits", "NL",
    )  # fmt: skip


def test_an_action_on_another_round_or_leg_is_out_of_order(opened: "Story") -> None:
    """An action that names a leg or round which is not the current one is recorded and changes nothing."""
    before = standing(opened)
    opened.act("nl-offlimits", "removed", leg=2)
    opened.act("nl-offlimits", "removed", round=9)
    assert [fact.breaches for fact in opened.facts[-2:]] == [("out_of_order",)] * 2
    assert standing(opened) == before
    opened.act("nl-offlimits", "removed", round=1, leg=1)
    assert opened.case.state == "closed"


def test_an_id_of_another_case_is_refused(opened: "Story") -> None:
    """Case id and url key must belong together, and an origin may name its own reports only."""
    opened.act("nl-offlimits", "removed", case_id=opened.new_id())
    assert refusal(opened) == ("wrong_case", "case_id")
    opened.act("gb-iwf", "observed", report_event_id=opened.new_id(), is_online=True)
    assert refusal(opened) == ("wrong_case", "report_event_id")


def test_an_origin_may_name_its_own_report(opened: "Story") -> None:
    """An action names the case by the event id of the sender's own report as well."""
    own = opened.case.origins[0].first_event_id
    opened.act("gb-iwf", "observed", report_event_id=own, is_online=True)
    assert opened.receipts()[-1].outcome == "accepted"


def test_actions_that_came_first_are_applied_in_order(story: "Story") -> None:
    """Actions wait unanswered for their report, take effect after it in order, and are answered once."""
    own = story.new_id()
    for action in ("acknowledged", "police_informed", "removed"):
        assert story.act("nl-offlimits", action, report_event_id=own).postings == ()
    assert (story.case.state, len(story.case.waiting)) == ("awaited", 3)
    story.report("nl-offlimits", event_id=own)
    assert story.kinds()[3:] == [
        "opened", "assigned", "acknowledged", "not_applicable", "police_informed", "removed", "closed",
    ]  # fmt: skip
    assert (story.case.state, story.case.waiting) == ("closed", ())
    assert [r.outcome for r in story.receipts()] == ["accepted", "not_applicable", "accepted", "accepted"]
    assert story.facts[-2].statement == story.events[2][0].submission.statement, "the signed statement stays"


def test_an_action_waits_for_its_own_senders_report(opened: "Story") -> None:
    """On a case of others, an action about a report still on its way waits for that one."""
    own = opened.new_id()
    opened.act("de-eco", "observed", report_event_id=own, is_online=True)
    opened.report("gb-iwf")
    assert len(opened.case.waiting) == 1
    opened.report("de-eco", event_id=own)
    assert opened.case.waiting == ()
    assert (opened.kinds()[-1], opened.receipts()[-1].outcome) == ("observed", "accepted")


def test_only_so_many_actions_wait(story: "Story") -> None:
    """The seventeenth action on an unknown case is refused at once; the others go on waiting."""
    for _ in range(MAX_WAITING + 1):
        story.act("nl-offlimits", "acknowledged", case_id=story.new_id())
    assert refusal(story) == ("too_many_waiting", "case_id")
    assert len(story.case.waiting) == MAX_WAITING
    assert len(story.receipts()) == 1
