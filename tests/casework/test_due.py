from typing import TYPE_CHECKING

from casework.due import due_times

if TYPE_CHECKING:
    from tests.casework.conftest import Story


def test_an_assigned_case_has_the_deadlines_of_its_country(opened: "Story") -> None:
    """Four timers run from the assignment, by the limits of the directory, earliest first."""
    limits = opened.directory.deadlines_of("NL")
    start = opened.case.leg_started_at
    assert [(due.step, due.at - start) for due in due_times(opened.case)] == [
        ("acknowledge", limits.acknowledge_ms),
        ("inform_police", limits.inform_police_ms),
        ("inform_provider", limits.inform_provider_ms),
        ("confirm_removal", limits.confirm_removal_ms),
    ]


def test_done_steps_have_no_timer(opened: "Story") -> None:
    """Each step stops its own timer, a registrar's does not stop the host's, the end all but the erasure."""
    opened.act("nl-offlimits", "police_informed")
    opened.act("nl-offlimits", "provider_informed", recipient_role="registrar")
    assert [due.step for due in due_times(opened.case)] == ["inform_provider", "confirm_removal"]
    opened.act("nl-offlimits", "removed")
    assert [due.step for due in due_times(opened.case)] == ["erase"]


def test_orphans_have_no_clock(story: "Story") -> None:
    """No takedown clock runs where nobody is responsible."""
    story.report("gb-iwf", "HK")
    assert {due.step for due in due_times(story.case)} == {"escalation", "unclaimed"}


def test_each_waiting_action_has_its_own_timer(story: "Story") -> None:
    """Waiting actions are due in the order they came, by their own ids."""
    for _ in range(3):
        story.act("nl-offlimits", "removed", case_id=story.new_id())
    found = due_times(story.case)
    assert [due.event_id for due in found] == [waiting.event_id for waiting in story.case.waiting]
    assert {due.step for due in found} == {"waiting"}
    assert [due.at for due in found] == sorted({due.at for due in found})
