from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from casework.ids import id_bytes, id_text, new_event_id
from casework.known_reports import (
    BETWEEN_OF_CASE,
    OF_ORIGIN,
    known_reports,
    knows_all,
    may_leave,
    with_report,
    without,
)

if TYPE_CHECKING:
    from casework.messages import Origin
    from tests.casework.conftest import Story


def an_id(number: int) -> str:
    """Answer the event id of a report by its number."""
    return new_event_id(1_760_000_000_000, number.to_bytes(10, "big"))


def reported(
    *numbers: int, origins: "tuple[Origin, ...]" = (), member: str = "gb-iwf"
) -> "tuple[Origin, ...]":
    """Answer the origins after one has sent the reports of these numbers."""
    for number in numbers:
        origins = with_report(origins, member, an_id(number), number, None)
    return origins


@given(
    st.lists(
        st.tuples(st.sampled_from(("report", "report", "leave")), st.integers(0, 40), st.sampled_from("ab")),
        max_size=120,
    )
)
def test_what_is_known_is_what_was_reported_and_has_not_left(told: list[tuple[str, int, str]]) -> None:
    """Known are reports that came and have not left, within the limit; each leaves once, none is empty."""
    origins: tuple[Origin, ...] = ()
    here: dict[str, list[str]] = {"a": [], "b": []}
    for what, number, member in told:
        event_id = an_id(number)
        if what == "report" and event_id not in here[member]:
            origins = with_report(origins, member, event_id, number, None)
            here[member].append(event_id)
        one = next((one for one in origins if one.member == member), None)
        if what == "leave" and one is not None and may_leave(one, event_id):
            origins = without(origins, member, event_id)
            here[member].remove(event_id)
    assert {one.member: one.count for one in origins} == {m: len(ids) for m, ids in here.items() if ids}
    for one in origins:
        known, left = known_reports(one), here[one.member]
        assert 1 <= len(known) <= OF_ORIGIN
        assert list(known) == [event_id for event_id in left if event_id in known]
        assert (known[0], known[-1]) == (one.first_event_id, one.last_event_id)
        assert known[-1] == left[-1] or one.content_digest is None
        assert knows_all(one) == (list(known) == left)


def test_the_oldest_and_the_newest_fifteen_are_known() -> None:
    """Of twenty reports the oldest and the newest fifteen have their ids, and all twenty are counted."""
    (origin,) = reported(*range(20))
    assert known_reports(origin) == tuple(an_id(number) for number in (0, *range(5, 20)))
    assert (origin.count, knows_all(origin)) == (20, False)


def test_the_last_that_is_known_leaves_with_the_others_only() -> None:
    """While older reports are counted there is one to hand on, and that one stays."""
    origins = reported(*range(20))
    for number in (0, *range(5, 19)):
        assert may_leave(origins[0], an_id(number))
        origins = without(origins, "gb-iwf", an_id(number))
    assert (known_reports(origins[0]), origins[0].count) == ((an_id(19),), 5)
    assert not may_leave(origins[0], an_id(19))


def test_all_origins_together_have_a_limit_too() -> None:
    """However many origins report often, the case knows 256 reports beside the oldest and latest of each."""
    origins: tuple[Origin, ...] = ()
    for number in range(30):
        origins = reported(*range(number * 20, number * 20 + 20), origins=origins, member=f"xx-{number}")
    assert sum(len(one.between) for one in origins) == BETWEEN_OF_CASE
    late = origins[-1]
    assert known_reports(late) == (an_id(29 * 20), an_id(29 * 20 + 19))
    assert late.count == 20


def test_a_copy_of_a_known_report_is_not_counted_again() -> None:
    """A copy that came too late to be recognised becomes the latest, and its report is one report still."""
    (origin,) = reported(1, 2, 3, 2)
    assert known_reports(origin) == (an_id(1), an_id(3), an_id(2))
    assert (origin.count, origin.last_at) == (3, 2)


def test_a_state_of_an_earlier_version_goes_on() -> None:
    """An origin of which first and latest alone were kept gets known reports from then on."""
    origins = reported(1, 2, 3, 4)
    old = (msgspec.structs.replace(origins[0], between=()),)
    assert not knows_all(old[0])
    assert known_reports(reported(5, origins=old)[0]) == (an_id(1), an_id(4), an_id(5))
    assert known_reports(without(old, "gb-iwf", an_id(4))[0]) == (an_id(1),)


@given(st.binary(min_size=16, max_size=16))
def test_an_id_has_one_text(event_id: bytes) -> None:
    """Sixteen bytes come back from their text form."""
    assert id_bytes(id_text(event_id)) == event_id


def test_an_acknowledgement_may_name_any_report_that_is_known(story: "Story") -> None:
    """Police find the case by a report between the oldest and the latest, however long ago it was seen."""
    for _ in range(4):
        story.report("gb-iwf", urgency=("possible_new_victim",))
    middle = known_reports(story.case.origins[0])[1]
    for _ in range(40):
        story.act("gb-iwf", "observed", is_online=True)
    assert id_bytes(middle) not in {seen.event_id for seen in story.case.seen}
    story.act("nl-police", "acknowledged", report_event_id=middle)
    assert story.receipts()[-1].outcome == "accepted"


def test_an_id_that_is_not_known_is_believed_while_not_all_are(story: "Story") -> None:
    """Who has sent more reports than are known may name the case by any; who has not is told that it errs."""
    for _ in range(3):
        story.report("gb-iwf")
    story.act("gb-iwf", "note", priority="low", report_event_id=story.new_id())
    assert story.receipts()[-1].rule == "wrong_case"
    for _ in range(20):
        story.report("gb-iwf")
    story.act("gb-iwf", "note", priority="low", report_event_id=story.new_id())
    assert story.receipts()[-1].outcome == "accepted"
