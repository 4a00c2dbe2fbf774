from typing import TYPE_CHECKING

import msgspec
import pytest

from casework.due import due_times
from casework.matters.confirmations import MAX_ASKED, TOLD, with_asked
from casework.messages import Asked

if TYPE_CHECKING:
    from tests.casework.conftest import Story

WEEK = 7 * 24 * 3_600_000


@pytest.fixture
def asking(opened: "Story") -> "Story":
    """Return a story in which two members are to confirm the second fact within a week."""
    asked = Asked(
        fact_number=2, kind="correction", members=("gb-iwf", "nl-offlimits"), due_at=opened.now + WEEK
    )
    opened.case = msgspec.structs.replace(opened.case, asked=(asked,))
    return opened


def test_each_confirmation_is_recorded_and_the_last_one_ends_the_waiting(asking: "Story") -> None:
    """Every member that was asked is noted when it confirms, and nobody is waited for after the last."""
    asking.act("gb-iwf", "confirmed", fact_number=2)
    assert (asking.facts[-1].fact, asking.facts[-1].fact_ref) == ("confirmed", 2)
    assert asking.case.asked[0].members == ("nl-offlimits",)
    asking.act("nl-offlimits", "confirmed", fact_number=2)
    assert asking.case.asked == ()


@pytest.mark.parametrize("fact_number", [1, 2])
def test_only_what_was_asked_can_be_confirmed(opened: "Story", fact_number: int) -> None:
    """Nobody confirms a fact that nobody was asked to confirm."""
    opened.act("gb-iwf", "confirmed", fact_number=fact_number)
    assert (opened.receipts()[-1].outcome, opened.receipts()[-1].rule) == ("not_applicable", "not_asked")


def test_a_confirmation_counts_once(asking: "Story") -> None:
    """Who has confirmed is not asked any more."""
    asking.act("gb-iwf", "confirmed", fact_number=2)
    asking.act("gb-iwf", "confirmed", fact_number=2)
    assert asking.receipts()[-1].rule == "not_asked"


def test_silence_is_told_to_the_secretariat_once(asking: "Story") -> None:
    """After the time the secretariat learns once who has not confirmed; who does later is believed."""
    asking.act("gb-iwf", "confirmed", fact_number=2)
    asking.later(2 * WEEK).wake()
    asking.later(2 * WEEK).wake()
    facts = [fact for fact in asking.facts if fact.fact == "unconfirmed"]
    assert [fact.members for fact in facts] == [("nl-offlimits",)]
    told = [told.fact for told in asking.deliveries("inhope")]
    assert [fact for fact in told if fact != "reminded"] == ["unconfirmed"]
    assert asking.case.asked[0].due_at == TOLD
    assert "confirm" not in {due.step for due in due_times(asking.case)}
    asking.act("nl-offlimits", "confirmed", fact_number=2)
    assert asking.case.asked == ()


def test_who_is_asked_is_a_party(asking: "Story") -> None:
    """A member that was asked may answer, whatever else it has to do with the case."""
    asked = msgspec.structs.replace(asking.case.asked[0], members=("de-eco",))
    asking.case = msgspec.structs.replace(asking.case, asked=(asked,))
    asking.act("de-eco", "confirmed", fact_number=2)
    assert asking.receipts()[-1].outcome == "accepted"


def test_what_a_case_waits_for_is_bounded(opened: "Story") -> None:
    """A case waits for the confirmations of so many facts only, the newest."""
    for number in range(1, MAX_ASKED + 3):
        fact = msgspec.structs.replace(
            opened.facts[-1], number=number, members=("gb-iwf",), due_at=opened.now
        )
        asked = with_asked(opened.case, fact, "erasure")
        opened.case = msgspec.structs.replace(opened.case, asked=asked)
    assert [one.fact_number for one in opened.case.asked] == list(range(3, MAX_ASKED + 3))
