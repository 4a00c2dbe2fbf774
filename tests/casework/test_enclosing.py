from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.enclosing import CONFIDENTIAL, may_see
from casework.messages import ActionDetails, Hold

if TYPE_CHECKING:
    from tests.casework.conftest import Story


@pytest.mark.parametrize("action", ["note", "assessed", "observed", "removed"])
def test_what_a_member_writes_reaches_those_who_are_told(opened: "Story", action: str) -> None:
    """The content of an action is handed on with the news of it, beside its signed statement."""
    said = {"classification": "national", "law_country": "NL", "observation": "online"}
    opened.act("nl-offlimits", action, reason_code="other", **said)
    told = next(told for told in opened.deliveries("gb-iwf") if told.fact == action)
    assert (told.content, told.statement is not None) == (b"note", True)


def test_the_content_of_an_action_is_stored_with_the_case(opened: "Story") -> None:
    """What was handed on can be handed on again, until the contents of the case are erased."""
    kept = opened.act("nl-offlimits", "note")
    assert [(one.report_event_id, one.sender) for one in kept.contents] == [
        (kept.facts[0].input_id, "nl-offlimits")
    ]


def test_a_note_that_waits_is_handed_on_when_its_report_comes(story: "Story") -> None:
    """The content of an action that waits is stored and goes with the news of it."""
    report = story.report_event("gb-iwf", "NL")
    kept = story.act("gb-iwf", "observed", report_event_id=report.statement.event_id, observation="online")
    waiting = kept.facts[0].input_id
    assert [one.report_event_id for one in kept.contents] == [waiting]
    kept = story.happen(report)
    assert [posting.content_of for posting in kept.postings if posting.body.recipient == "nl-offlimits"] == [
        None,
        waiting,
    ]
    assert kept.dropped == ()


def test_nothing_is_stored_any_more_once_the_contents_are_erased(opened: "Story") -> None:
    """A note on a closed case whose contents were erased is told and not kept."""
    opened.act("nl-offlimits", "removed")
    opened.later(200 * 24 * opened.hour).wake()
    assert "erased" in opened.kinds()
    kept = opened.act("gb-iwf", "note")
    assert kept.contents == ()
    assert opened.deliveries("nl-offlimits")[-1].content == b"note"


def test_what_waited_in_vain_is_erased(story: "Story") -> None:
    """The content of an action whose report never came does not stay."""
    kept = story.act("nl-offlimits", "removed", case_id=story.new_id())
    waiting = kept.facts[0].input_id
    assert story.later(2 * story.hour).wake().dropped == (waiting,)


def test_a_refused_action_leaves_no_content(opened: "Story") -> None:
    """Neither a stranger's words nor those of an action that changes nothing are stored."""
    assert opened.act("fr-point-de-contact", "note").contents == ()
    opened.act("nl-offlimits", "removed")
    assert opened.act("nl-offlimits", "removed").contents == ()


@pytest.mark.parametrize("fact", [*sorted(CONFIDENTIAL), "note"])
def test_only_those_who_work_on_an_investigation_see_its_words(opened: "Story", fact: str) -> None:
    """Words about a hold or a police reference are for responsible hotline and liaisons concerned."""
    details = ActionDetails(has_police_reference=fact == "note")
    said = msgspec.structs.replace(opened.facts[-1], fact=fact, details=details)
    hold = Hold(
        until=1, since=0, by="nl-police", liaison="nl-police", asked_by="europol", warned=0, fact_number=1
    )
    held = msgspec.structs.replace(opened.case, hold=hold)
    for before, after in ((opened.case, held), (held, opened.case)):
        see = {one for one in ("nl-offlimits", "nl-police", "europol", "gb-iwf", "desk-orphans", "interpol")
               if may_see(before, after, said, one)}  # fmt: skip
        assert see == {"nl-offlimits", "nl-police", "europol"}


def test_a_note_is_for_all_who_are_told(opened: "Story") -> None:
    """A plain note is nobody's secret."""
    opened.act("nl-offlimits", "note")
    assert may_see(opened.case, opened.case, opened.facts[-1], "gb-iwf")
