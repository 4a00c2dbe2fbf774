import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from casework import codes, transitions
from casework.matters import ACTION_RULES
from casework.states import (
    ASSIGNED_STATES,
    AWAITING_REWRAP,
    CLOSED,
    NONE,
    OFFERED,
    ORPHANED,
    STATES,
    furthest,
)
from casework.transition_rows import (
    ACTION,
    AGAINST_BASELINE,
    CONFIRMED_ELSEWHERE,
    DISPUTED,
    HOTLINE,
    NEEDS_NEW_ROUND,
    NEW_LEG,
    NO_HOTLINE,
    NOTICE_CONDITIONS,
    OWN,
    POOL,
    SAME,
    SEEN_ELSEWHERE,
    Transition,
)
from casework.transition_table import TABLE
from casework.transitions import ACTIONS, FINAL_ACTIONS, NEED_REASON, as_markdown, transition

if TYPE_CHECKING:
    from tests.casework.conftest import Story

PAGE = Path(__file__).parents[2] / "docs" / "state-machine.md"
WAYS = {
    HOTLINE: ("gb-iwf", "NL"),
    OWN: ("nl-offlimits", "NL"),
    NO_HOTLINE: ("gb-iwf", "HK"),
    POOL: ("gb-iwf", "DE"),
}
NEEDED = {"reason_code": "other", "classification": "national", "law_country": "NL", "is_online": True}
REPORT_ROWS = [(row, state) for row in TABLE if row.event == "report" for state in row.states]
OF_THEIR_OWN = {"rewrap", "key_mismatch", *(ACTION_RULES.keys() - {"observed"})}
"""Actions with rules of their own; they have modules of tests of their own."""
ACTION_ROWS = [
    (row, state)
    for row in TABLE
    if row.event in ACTIONS - OF_THEIR_OWN
    and row.who != "liaison"  # in matters/test_escalating, test_feeds
    and row.when not in NOTICE_CONDITIONS
    and SEEN_ELSEWHERE not in row.when  # in matters/test_moves
    for state in row.states
]


def brought_to(story: "Story", state: str, **fields: object) -> "Story":
    """Bring a story into a state, with gb-iwf as origin and nl-offlimits responsible where there is one."""
    if state == "awaited":
        story.act("nl-offlimits", "removed", case_id=story.new_id())
    elif state == ORPHANED:
        story.report("gb-iwf", "ZZ", **fields)
    elif state == OFFERED:
        story.claimable().report("gb-iwf", "DE", **fields)
    elif state == AWAITING_REWRAP:
        story.report("gb-iwf", "NL", readers=["gb-iwf"], **fields)
    elif state != NONE:
        story.report("gb-iwf", "NL", **fields)
        if state != "assigned":
            story.act("nl-offlimits", "removed" if state == CLOSED else state, **{**NEEDED, **fields})
    assert (NONE if story.case is None else story.case.state) == state
    return story


def expected_state(row: Transition, before: str) -> str:
    """Answer the state a row promises; a step behind the state leaves it."""
    if row.state == SAME:
        return before
    if row.state == NEW_LEG:
        return "assigned"
    return row.state if row.event == "report" or row.state == CLOSED else furthest(before, row.state)


@pytest.mark.parametrize(("row", "state"), REPORT_ROWS, ids=lambda value: str(getattr(value, "when", value)))
def test_reports_do_what_their_rows_say(
    new_story: "Callable[[], Story]", row: Transition, state: str
) -> None:
    """Each row of a report gives its facts and its state from each of its states."""
    is_elsewhere = row.when in {CONFIRMED_ELSEWHERE, DISPUTED}
    status = "provisional" if row.when == CONFIRMED_ELSEWHERE else "confirmed"
    story = brought_to(new_story(), state, hosting_status=status)
    way = row.when.removeprefix(f"{NEEDS_NEW_ROUND}; ")
    sender, country = WAYS.get(way, ("gb-iwf", "US") if is_elsewhere else WAYS[HOTLINE])
    is_newer = is_elsewhere or NEEDS_NEW_ROUND in row.when
    seen_at = story.later(story.minute).now if is_newer else None
    if way == POOL:
        story.claimable()
    kept = story.report(sender, country, observed_at=seen_at)
    facts = [fact for fact in kept.facts if fact.fact not in {"escalated", "refused", "readable"}]
    promised = tuple("assigned" if fact == NEW_LEG else fact for fact in row.facts)
    assert tuple(fact.fact for fact in facts) == promised
    before = "assigned" if state == AWAITING_REWRAP else state  # for a clear report can be opened
    assert story.case.state == expected_state(row, before)


@pytest.mark.parametrize(("row", "state"), ACTION_ROWS, ids=lambda value: str(getattr(value, "event", value)))
def test_actions_do_what_their_rows_say(
    new_story: "Callable[[], Story]", row: Transition, state: str
) -> None:
    """Each row of an action gives its facts and its state from each of its states, unless done already."""
    against = row.when == AGAINST_BASELINE
    story = brought_to(new_story(), state, **({"classification": "baseline"} if against else {}))
    already = row.event == state and not row.breach
    sender = "gb-iwf" if row.who == "party" else "nl-offlimits"
    kept = story.act(sender, row.event, **NEEDED | ({"classification": "not_illegal"} if against else {}))
    assert tuple(f.fact for f in kept.facts) == (("not_applicable",) if already else row.facts)
    assert story.case.state == expected_state(row, state)
    told = {d.recipient for d in story.deliveries() if d.fact_number == kept.facts[0].number}
    if not already and "origins" in row.told:
        assert told == {"gb-iwf"}


@pytest.mark.parametrize("state", [ORPHANED, *ASSIGNED_STATES, CLOSED])
@pytest.mark.parametrize("action", sorted(ACTIONS - {"observed", *OF_THEIR_OWN}))
def test_what_no_row_allows_is_recorded_and_changes_nothing(
    new_story: "Callable[[], Story]", action: str, state: str
) -> None:
    """Outside the rows the responsible hotline is out of order; others are not responsible."""
    story = brought_to(new_story(), state)
    before = msgspec.structs.asdict(story.case)
    story.act("gb-iwf", action, **NEEDED)
    assert (story.facts[-1].fact, story.facts[-1].breaches) == (action, ("not_responsible",))
    if transition(action, state) is None and state != ORPHANED and action != story.case.outcome:
        story.act("nl-offlimits", action, **NEEDED)
        assert (story.facts[-1].fact, story.facts[-1].breaches) == (action, ("out_of_order",))
    after = msgspec.structs.asdict(story.case)
    counters = {"number", "source_offset", "last_now", "seen", "deliveries", "stated"}
    assert {k for k in after if after[k] != before[k]} <= counters


def test_each_report_has_its_row() -> None:
    """No state and condition of a report is without a row, so that no report can fall through."""
    conditions = (HOTLINE, OWN, NO_HOTLINE, POOL)
    for state, when in itertools.product((NONE, "awaited", ORPHANED), conditions):
        assert transition("report", state, when)
    for state in (OFFERED, *ASSIGNED_STATES, CLOSED):
        assert transition("report", state)
    for when in conditions:
        assert transition("report", CLOSED, f"{NEEDS_NEW_ROUND}; {when}")


def test_rows_are_unambiguous() -> None:
    """No two rows speak about the same event, condition and state."""
    keys = [(row.event, row.when, state) for row in TABLE for state in row.states]
    assert len(keys) == len(set(keys))


def test_table_and_code_lists_agree() -> None:
    """What intake calls usable, final and in need of a reason is what the table says."""
    assert set(codes.ACTIONS.codes) >= ACTIONS
    assert FINAL_ACTIONS == codes.FINAL_ACTIONS
    assert codes.ACTIONS_NEEDING_REASON >= NEED_REASON
    assert {row.breach for row in TABLE if row.breach} <= set(codes.BREACHES.codes)


def test_states_only_go_forward() -> None:
    """Of two steps the further one is the state, in whichever order they come."""
    for one, other in itertools.product(STATES, repeat=2):
        assert furthest(one, other) == furthest(other, one)


def test_readers_see_the_table() -> None:
    """docs/state-machine.md shows the table as it is, and explains each state and each rule of refusal."""
    page = PAGE.read_text(encoding="utf-8")
    assert as_markdown() in page, "put the output of casework.transitions.as_markdown() into the page"
    for state, meaning in STATES.items():
        assert f"| `{state}` | {meaning} |" in page
    for rule in ("not_in_table", "reason_required", "not_a_party", "wrong_case", "unknown_case",
                 "too_many_waiting", "id_reused", "already_done", "classification_required",
                 "content_swapped", "law_country_required", "clear_content", "other_report",
                 "case_closed"):  # fmt: skip
        assert f"`{rule}`" in page
    assert ACTION in transitions.as_markdown()
