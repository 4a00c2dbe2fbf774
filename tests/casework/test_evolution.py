from typing import TYPE_CHECKING

import msgspec
import pytest

from casework import evolution
from casework.errors import BugError
from casework.evolution import evolve, fold
from casework.messages import Case, Fact
from casework.transition_table import TABLE

if TYPE_CHECKING:
    from tests.casework.conftest import Story

replace = msgspec.structs.replace


def test_any_prefix_of_the_facts_is_a_state(opened: "Story") -> None:
    """Folding up to any fact gives the state that was kept after it."""
    kept = [opened.act("nl-offlimits", action) for action in ("acknowledged", "police_informed", "removed")]
    for step in kept:
        assert step.case is not None
        assert fold(opened.facts[: step.case.number]) == step.case
    assert fold([]) is None


def test_a_fact_out_of_number_or_of_another_case_is_a_bug(opened: "Story") -> None:
    """A fact that cannot follow is never folded in: a gap, a copy or a stranger stops the fold."""
    last = opened.facts[-1]
    for wrong in (last, replace(last, number=9), replace(last, number=3, case_id="other")):
        with pytest.raises(BugError, match="cannot follow"):
            evolve(opened.case, wrong)


def test_a_fact_of_a_later_version_is_a_bug(opened: "Story") -> None:
    """An unknown kind of fact stops the fold instead of being skipped."""
    with pytest.raises(BugError, match="does not know"):
        evolve(opened.case, replace(opened.facts[-1], number=3, fact="foretold"))


def test_a_fact_without_what_its_kind_needs_is_a_bug(opened: "Story") -> None:
    """A report's fact without its report never becomes a state."""
    with pytest.raises(BugError, match="lacks a field"):
        evolve(None, replace(opened.facts[0], report_event_id=None))


def test_every_fact_of_the_table_can_be_folded() -> None:
    """No decision can write a fact that evolve does not know."""
    known = {*evolution._RULES, "shrunk"}
    written = {fact for row in TABLE for fact in row.facts if " " not in fact}
    assert written | {"escalated", "not_applicable"} == known


def test_facts_hold_no_content(opened: "Story") -> None:
    """Facts carry the signed statement and never the content; states carry neither."""
    opened.report("de-eco")
    assert opened.facts[0].statement is not None
    for value in [*opened.facts, opened.case]:
        assert b"content of" not in msgspec.msgpack.encode(value)
    assert not {"content"} & {*Fact.__struct_fields__, *Case.__struct_fields__}
    assert "statement" not in Case.__struct_fields__


def test_each_fact_says_where_the_case_is(opened: "Story") -> None:
    """Statistics need no state: facts name hosting country, assigned country and responsible hotline."""
    opened.act("nl-offlimits", "removed")
    opened.later(opened.minute).report("de-eco", "HK", observed_at=opened.now)
    where = [(f.fact, f.hosting_country, f.assigned_country, f.assigned_hotline) for f in opened.facts]
    assert where[:4] == [(f, "NL", "NL", "nl-offlimits") for f in ("opened", "assigned", "removed", "closed")]
    assert where[4:] == [(f, "HK", "HK", None) for f in ("reopened", "orphaned", "escalated")]
