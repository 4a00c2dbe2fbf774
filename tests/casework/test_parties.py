from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.parties import is_party, names_case, place

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace


@pytest.mark.parametrize(
    ("member", "is_one"),
    [
        ("gb-iwf", True),
        ("nl-offlimits", True),
        ("de-eco", False),
        ("nobody-at-all", False),
        ("nl-atkm", False),
    ],
)
def test_who_is_a_party(opened: "Story", member: str, *, is_one: bool) -> None:
    """Origin and responsible hotline are parties; other hotlines, authorities and unknown names are not."""
    assert is_party(opened.case, member, opened.directory) == is_one


def test_former_hotlines_stay_parties(opened: "Story") -> None:
    """Whoever was responsible once may still say what it knows."""
    case = replace(opened.case, former=("de-eco",))
    assert is_party(case, "de-eco", opened.directory)


def test_the_mandate_counts_for_orphans_only(opened: "Story") -> None:
    """A mandate gives no part in a case that has a responsible hotline."""
    mandated = next(m.id for m in opened.directory.members if "orphans" in m.mandates and m.id != "gb-iwf")
    assert not is_party(opened.case, mandated, opened.directory)
    orphan = replace(opened.case, state="orphaned", assigned_hotline=None, desk="desk-orphans")
    assert is_party(orphan, mandated, opened.directory)
    assert place(orphan) == "desk-orphans"


def test_ids_between_first_and_last_are_known_while_remembered(opened: "Story") -> None:
    """An origin's reports are recognised by first id, last id or memory; nobody else's id counts."""
    for _ in range(2):
        opened.report("gb-iwf")
    ids = [event.admitted.event_id for event, _, _ in opened.events]
    for event_id in ids:
        action = opened.action_event("gb-iwf", "observed", report_event_id=event_id).statement
        assert names_case(opened.case, "gb-iwf", action)
        assert not names_case(opened.case, "nl-offlimits", action)


def test_police_that_only_ask_for_a_hold_say_nothing_of_the_content(opened: "Story") -> None:
    """Foreign police may ask for a hold by case id and keep the case; they may not move it or write notes."""
    opened.act("de-police", "hold", hold_until=opened.now + 24 * opened.hour)
    assert opened.facts[-1].fact == "hold_asked"
    for action in ("moved", "observed", "note", "reappeared"):
        opened.act("de-police", action, new_hosting_country="DE", hosting_method="whois", is_online=True)
        assert (opened.facts[-1].fact, opened.facts[-1].rule) == ("refused", "not_a_party")
    opened.act("de-police", "preserve", preserve_until=opened.now + 240 * opened.hour)
    assert opened.facts[-1].fact == "preserved"
